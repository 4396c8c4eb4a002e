"""Microsoft Teams: an Adaptive Card to a flow of Workflows ("when a Teams webhook request is received").

The old connectors are retired and not built on. The URL is the secret, and the flow belongs to a person: name a
co-owner, or it ends with that person's account. A flow takes the card before Teams has it and tells nothing later, so
what was not heard of stays in doubt. Sources: learn.microsoft.com, "Create incoming webhooks with Workflows",
"Format cards"; a message may have 28 kB.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from channels.channel import AccountStopped, ChannelError, TemporaryFailure, UnknownOutcome
from channels.http import HttpAnswer
from channels.posted import Posted, PostState
from channels.posting.answers import failure, is_success
from channels.posting.base import PostingChannel, TextPosts
from channels.posting.calls import JsonCalls
from channels.posting.session import CannotTell, PostingSession, Step
from channels.reasons import Reason
from channels.rendering import wording

LABEL = "Teams"
# Of the 28 kB of a message, what the words may take: each line is an object of its own.
BYTES = 18_000
LINES = 100


@dataclass(frozen=True, slots=True)
class TeamsChannel(PostingChannel):
    """The channel "teams"."""

    url: str = field(repr=False)
    parts: int = 1
    timeout: float = 30.0

    name = "teams"
    label = LABEL

    def open(self) -> PostingSession:
        return PostingSession(self, Teams(self.url, self.timeout))

    def fits(self, text: str) -> bool:
        return len(text.encode()) <= BYTES and text.count("\n") < LINES


class Teams:
    """One flow."""

    marks = False

    def __init__(self, url: str, timeout: float) -> None:
        self._calls = JsonCalls(url, {}, timeout)

    async def show(self, step: Step) -> AsyncIterator[Posted]:
        answer = await self._calls.call("POST", "", message(step.prepared))
        if not is_success(answer):
            raise _error(answer)
        # Errors of the old connectors came as text in a 200; a flow that has begun says nothing.
        if answer.status != 202 and answer.body.strip() not in (b"", b"1"):
            raise _refused_inside(answer)
        yield Posted(step.part, "")

    async def look_for(self, step: Step) -> Posted | None:
        raise CannotTell

    async def take_back(self, earlier: Posted, prepared: Any, instead: Posted) -> PostState:
        return PostState.LEFT

    async def close(self) -> None:
        await self._calls.close()


def message(prepared: TextPosts) -> dict[str, Any]:
    """Each line is a text of its own, in which no sign means anything but itself."""
    announcement = prepared.announcement
    lines = prepared.parts[0].removesuffix(announcement.url).strip().split("\n")
    body = [
        {
            "type": "RichTextBlock",
            "inlines": [{"type": "TextRun", "text": line, **({"weight": "Bolder"} if not place else {})}],
        }
        for place, line in enumerate(lines)
        if line.strip()
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "Full"},
    }
    if announcement.url:
        title = wording(prepared.language).more
        card["actions"] = [{"type": "Action.OpenUrl", "title": title, "url": announcement.url}]
    attached = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attached]}


def _refused_inside(answer: HttpAnswer) -> ChannelError:
    if b"429" in answer.body:
        return TemporaryFailure(Reason.RATE, f"{LABEL}が間をあけるよう求めています。")
    return UnknownOutcome(Reason.UNREADABLE, f"{LABEL}が、成功と言いながらエラーを返しました。")


def _error(answer: HttpAnswer) -> ChannelError:
    if answer.status in (401, 403, 404, 410):
        return AccountStopped(Reason.POST_TOKEN, f"{LABEL}のワークフローのURLが使えません({answer.status})。")
    return failure(answer, LABEL)
