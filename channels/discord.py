"""Discord: messages by a webhook, whose URL is the secret.

Asked to wait, Discord names the message, so a correction can be written over it and a withdrawal delete it. What was
not heard of cannot be looked for. Nobody is mentioned by what somebody wrote. Source: docs.discord.com, "Execute
webhook", "Edit webhook message", "Rate limits".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from channels.channel import AccountStopped, ChannelError, TemporaryFailure
from channels.http import HttpAnswer
from channels.posted import Posted, PostState
from channels.posting.answers import TOO_MANY, decode, failure, is_success, text_of, unreadable
from channels.posting.base import PostingChannel, TextPosts
from channels.posting.calls import JsonCalls
from channels.posting.corrected import corrected_words
from channels.posting.session import AskedPostingSession, CannotTell, Step
from channels.reasons import Reason
from channels.rendering import utf16_length

LABEL = "Discord"
LIMIT = 2_000
NOBODY: dict[str, list[str]] = {"parse": []}
UNKNOWN_MESSAGE = "10008"


@dataclass(frozen=True, slots=True)
class DiscordChannel(PostingChannel):
    """The channel "discord"."""

    url: str = field(repr=False)
    parts: int = 4
    timeout: float = 30.0

    name = "discord"
    label = LABEL

    def open(self) -> AskedPostingSession:
        return AskedPostingSession(self, Discord(self.url, self.timeout))

    def fits(self, text: str) -> bool:
        return utf16_length(text) <= LIMIT


class Discord:
    """One channel of a server."""

    marks = True

    def __init__(self, url: str, timeout: float) -> None:
        self._calls = JsonCalls(url, {}, timeout)

    async def show(self, step: Step) -> AsyncIterator[Posted]:
        prepared: TextPosts = step.prepared
        content = {"content": prepared.parts[step.part], "allowed_mentions": NOBODY}
        answer = await self._calls.call("POST", "?wait=true", content)
        if not is_success(answer):
            raise _error(answer)
        number = text_of(decode(answer), "id")
        if not number:
            raise unreadable(LABEL)
        yield Posted(step.part, number)

    async def look_for(self, step: Step) -> Posted | None:
        raise CannotTell

    async def take_back(self, earlier: Posted, prepared: TextPosts, instead: Posted) -> PostState:
        path = f"/messages/{earlier.remote_id}"
        if prepared.announcement.kind == "withdrawal":
            answer = await self._calls.call("DELETE", path)
            done = PostState.DELETED
        else:
            words = corrected_words(prepared.announcement, prepared.language, prepared.announcement.url)
            content = {"content": words, "allowed_mentions": NOBODY}
            answer = await self._calls.call("PATCH", path, content)
            done = PostState.MARKED
        if is_success(answer):
            return done
        if answer.status == 404 and text_of(decode(answer), "code") == UNKNOWN_MESSAGE:
            return PostState.GONE
        if answer.status in (400, 403):
            return PostState.LEFT
        raise _error(answer)

    async def ask(self) -> None:
        answer = await self._calls.call("GET", "")
        if not is_success(answer):
            raise _error(answer)

    async def close(self) -> None:
        await self._calls.close()


def _error(answer: HttpAnswer) -> ChannelError:
    if answer.status == TOO_MANY:
        wait = text_of(decode(answer), "retry_after") or str(decode(answer).get("retry_after", ""))
        try:
            seconds = float(wait)
        except ValueError:
            return failure(answer, LABEL)
        return TemporaryFailure(Reason.RATE, f"{LABEL}が間をあけるよう求めています(429)。", seconds)
    if answer.status in (401, 403, 404):
        return AccountStopped(Reason.POST_TOKEN, f"{LABEL}のWebhookのURLが使えません({answer.status})。")
    return failure(answer, LABEL)
