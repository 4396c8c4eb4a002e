"""Webhooks: a notice as JSON to a partner's URL (bus operators, broadcasters, other towns), signed by `session`."""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from channels.channel import Announcement
from channels.preview import Preview
from channels.rendering import alone, body, category_name, check_body, check_title, heading
from channels.webhook.session import WebhookPrepared, WebhookSession

BODY_LIMIT = 100_000
EVENT_TYPE = "notice.published"


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """The channel "webhook".

    `allow_private` also admits http:// and receivers on this machine or network, for trials and for partners
    inside the town's own network; `timeout` seconds for one call.
    """

    _: KW_ONLY
    allow_private: bool = False
    concurrency: int = 10
    timeout: float = 10.0

    name = "webhook"
    batch_size = 1
    rate = None
    idempotent = False
    broadcasts = False
    metered = False
    posts = False

    def open(self) -> WebhookSession:
        return WebhookSession(self, allow_private=self.allow_private, timeout=self.timeout)

    def prepare(self, announcement: Announcement, language: str) -> WebhookPrepared:
        """The JSON with all languages of the notice, whatever `language` is. Raises CannotRender."""
        for text in announcement.texts:
            check_title(announcement, text.language)
            check_body(announcement, text.language, BODY_LIMIT, "webhook")
        return WebhookPrepared(json.dumps(payload(announcement), ensure_ascii=False, separators=(",", ":")))

    def preview(self, announcement: Announcement, language: str) -> Preview:
        """Title and text of one language; the receiver gets all of them. Raises CannotRender."""
        self.prepare(announcement, language)
        shown = _text(announcement, language)
        return Preview(
            self.name,
            language,
            shown["title"],
            shown["body"],
            notes=(category_name(announcement, language),),
            data=json.dumps(payload(announcement), ensure_ascii=False, indent=2),
        )


def payload(announcement: Announcement) -> dict[str, Any]:
    """The event as receivers get it. Titles carry the marks; `mode` says the same to machines."""
    place = announcement.place
    return {
        "type": EVENT_TYPE,
        "timestamp": _moment(announcement.published_at),
        "data": {
            "notice_id": announcement.notice_id,
            "version": announcement.version_id,
            "mode": announcement.mode,
            "urgency": announcement.urgency,
            "kind": announcement.kind,
            "category": announcement.category,
            # Of a correction or withdrawal: what the notice that it speaks of was called.
            "corrected_titles": announcement.corrected_titles,
            "texts": [_text(announcement, text.language) for text in announcement.texts],
            "url": announcement.url,
            "town": announcement.town,
            "expires_at": None if announcement.expires_at is None else _moment(announcement.expires_at),
            "pictures": [
                {"url": item.url, "width": item.width, "height": item.height, "alt": dict(item.alts)}
                for item in announcement.pictures
            ],
            "place": asdict(place) | {"map_url": place.map_url} if place else None,
        },
    }


def _moment(at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(announcement: Announcement, language: str) -> dict[str, str]:
    return {
        "language": language,
        "title": heading(announcement, language),
        "body": alone(announcement, language, body(announcement, language)),
    }
