"""Channels, modes and urgencies as staff and residents read them."""

from __future__ import annotations

from content.town import Mode, Urgency

CHANNEL_NAMES = {
    "line": "LINE",
    "mail": "メール",
    "webhook": "Webhook",
    "mastodon": "Mastodon",
    "bluesky": "Bluesky",
    "x": "X",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "threads": "Threads",
    "slack": "Slack",
    "discord": "Discord",
    "teams": "Teams",
}
MODE_NAMES: dict[str, str] = {Mode.LIVE: "本番", Mode.DRILL: "訓練", Mode.TEST: "試験"}
URGENCY_NAMES: dict[str, str] = {Urgency.URGENT: "緊急", Urgency.ROUTINE: "通常"}
