"""Slack: one message by an incoming webhook, whose URL is the secret.

The words stand in plain text blocks, so that nobody is mentioned by what somebody wrote. A webhook cannot read,
change or delete: what was not heard of stays in doubt. Source: docs.slack.dev, "Incoming webhooks", "Block Kit".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from channels.channel import AccountStopped, BatchRefused, ChannelError
from channels.http import HttpAnswer
from channels.posted import Posted, PostState
from channels.posting.answers import failure, is_success, unreadable
from channels.posting.base import PostingChannel, TextPosts
from channels.posting.calls import JsonCalls
from channels.posting.session import CannotTell, PostingSession, Step
from channels.posting.splitting import split
from channels.reasons import Reason
from channels.rendering import heading, wording

LABEL = "Slack"
SECTION, SECTIONS = 3_000, 45


@dataclass(frozen=True, slots=True)
class SlackChannel(PostingChannel):
    """The channel "slack"."""

    url: str = field(repr=False)
    parts: int = 1
    timeout: float = 30.0

    name = "slack"
    label = LABEL

    def open(self) -> PostingSession:
        return PostingSession(self, Slack(self.url, self.timeout))

    def fits(self, text: str) -> bool:
        return len(text) <= SECTION * 10


class Slack:
    """One channel of a workspace."""

    marks = False

    def __init__(self, url: str, timeout: float) -> None:
        self._calls = JsonCalls(url, {}, timeout)

    async def show(self, step: Step) -> AsyncIterator[Posted]:
        answer = await self._calls.call("POST", "", message(step.prepared))
        if not is_success(answer):
            raise _error(answer)
        if answer.body.strip() != b"ok":
            raise unreadable(LABEL)
        yield Posted(step.part, "")

    async def look_for(self, step: Step) -> Posted | None:
        raise CannotTell

    async def take_back(self, earlier: Posted, prepared: Any, instead: Posted) -> PostState:
        return PostState.LEFT

    async def close(self) -> None:
        await self._calls.close()


def message(prepared: TextPosts) -> dict[str, Any]:
    """`text` is what the notification says."""
    announcement, language = prepared.announcement, prepared.language
    # The link is a button.
    words = prepared.parts[0].removesuffix(announcement.url).strip()
    pieces = split(words, lambda piece: len(piece) <= SECTION)[:SECTIONS]
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "plain_text", "text": piece.strip(), "emoji": False}}
        for piece in pieces
    ]
    if announcement.url:
        label = {"type": "plain_text", "text": wording(language).more}
        button = {"type": "button", "text": label, "url": announcement.url}
        blocks.append({"type": "actions", "elements": [button]})
    escaped = heading(announcement, language)
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        escaped = escaped.replace(sign, name)
    return {"text": escaped, "blocks": blocks}


def _error(answer: HttpAnswer) -> ChannelError:
    said = answer.body[:100].decode("utf-8", "replace").strip()
    if answer.status == 410 or said in ("channel_is_archived", "no_service", "channel_not_found", "no_team"):
        return AccountStopped(
            Reason.POST_ACCOUNT, f"{LABEL}のチャンネルかWebhookがありません({answer.status})。"
        )
    if answer.status in (401, 403, 404):
        return AccountStopped(Reason.POST_TOKEN, f"{LABEL}のWebhookのURLが使えません({answer.status})。")
    if answer.status == 400:
        return BatchRefused(Reason.POST_REFUSED, f"{LABEL}が投稿を受け付けませんでした(400)。")
    return failure(answer, LABEL)
