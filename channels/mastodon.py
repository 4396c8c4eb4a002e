"""Mastodon: a notice as statuses, the further parts as replies.

`Idempotency-Key` keeps a repetition from doubling for an hour; later, and always when a try was not heard of, we
look at our own timeline first. A correction answers the status that it corrects, and that one is edited to lead
to it; a withdrawal deletes it. Sources: docs.joinmastodon.org, "statuses API methods", "Rate limits", "Instance".
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

from channels.channel import UnknownOutcome
from channels.posted import Posted, PostState
from channels.posting.answers import decode, failure, is_success, text_of, unreadable
from channels.posting.base import PostingChannel, TextPosts
from channels.posting.calls import JsonCalls
from channels.posting.corrected import corrected_words
from channels.posting.session import AskedPostingSession, Step
from channels.posting.splitting import LINK, graphemes
from channels.posting.timeline import is_of_now, same_words
from channels.reasons import Reason

LABEL = "Mastodon"
# Every link counts as so many, however long it is.
LINK_LENGTH = 23
LOOKED_AT = 40


@dataclass(frozen=True, slots=True)
class MastodonChannel(PostingChannel):
    """The channel "mastodon". `api_base` is the origin of the account's server, `limit` the characters that a
    status takes there (500 unless its operator chose another)."""

    api_base: str
    token: str = field(repr=False)
    limit: int = 500
    parts: int = 4
    timeout: float = 30.0

    name = "mastodon"
    label = LABEL

    def open(self) -> AskedPostingSession:
        return AskedPostingSession(self, Mastodon(self.api_base, self.token, self.timeout))

    def fits(self, text: str) -> bool:
        return length(text) <= self.limit


def length(text: str) -> int:
    """As a server counts: what people see as characters, and 23 for a link."""
    return graphemes(LINK.sub("x" * LINK_LENGTH, text))


class Mastodon:
    """The statuses of one account."""

    marks = True

    def __init__(self, origin: str, token: str, timeout: float) -> None:
        self._calls = JsonCalls(f"{origin.rstrip('/')}/api/v1", {"Authorization": f"Bearer {token}"}, timeout)

    async def show(self, step: Step) -> AsyncIterator[Posted]:
        prepared: TextPosts = step.prepared
        content: dict[str, Any] = {
            "status": prepared.parts[step.part],
            "language": prepared.language.partition("-")[0],
            "visibility": "public" if step.part == 0 else "unlisted",
        }
        if step.before is not None:
            content["in_reply_to_id"] = step.before.remote_id
        answer = await self._calls.call("POST", "/statuses", content, {"Idempotency-Key": step.key})
        if answer.status == 404 and step.before is not None:
            # What it answers was deleted by hand: the words stand by themselves.
            del content["in_reply_to_id"]
            answer = await self._calls.call(
                "POST", "/statuses", content, {"Idempotency-Key": f"{step.key}-alone"}
            )
        if not is_success(answer):
            raise failure(answer, LABEL)
        yield _posted(step.part, decode(answer))

    async def look_for(self, step: Step) -> Posted | None:
        prepared: TextPosts = step.prepared
        who = await self._read("/accounts/verify_credentials")
        path = (
            f"/accounts/{quote(text_of(who, 'id'), safe='')}/statuses?limit={LOOKED_AT}&exclude_reblogs=true"
        )
        answer = await self._calls.call("GET", path)
        if not is_success(answer):
            raise failure(answer, LABEL)
        try:
            statuses = json.loads(answer.body)
        except ValueError:
            raise unreadable(LABEL) from None
        for status in statuses if isinstance(statuses, list) else []:
            words = _plain(text_of(status, "content"))
            of_now = is_of_now(text_of(status, "created_at"), prepared.announcement)
            if of_now and same_words(words, prepared.parts[step.part]):
                return _posted(step.part, status)
        return None

    async def take_back(self, earlier: Posted, prepared: TextPosts, instead: Posted) -> PostState:
        path = f"/statuses/{quote(earlier.remote_id, safe='')}"
        if prepared.announcement.kind == "withdrawal":
            answer = await self._calls.call("DELETE", path)
            done = PostState.DELETED
        else:
            words = corrected_words(prepared.announcement, prepared.language, instead.url)
            answer = await self._calls.call("PUT", path, {"status": words})
            done = PostState.MARKED
        if is_success(answer):
            return done
        if answer.status in (404, 410):
            return PostState.GONE
        if answer.status in (403, 422):
            return PostState.LEFT
        raise failure(answer, LABEL)

    async def ask(self) -> None:
        await self._read("/accounts/verify_credentials")

    async def close(self) -> None:
        await self._calls.close()

    async def _read(self, path: str) -> dict[str, Any]:
        answer = await self._calls.call("GET", path)
        if not is_success(answer):
            raise failure(answer, LABEL)
        return decode(answer)


def _posted(part: int, status: dict[str, Any]) -> Posted:
    number = text_of(status, "id")
    if not number:
        if text_of(status, "error"):
            raise UnknownOutcome(Reason.UNREADABLE, f"{LABEL}が、成功と言いながらエラーを返しました。")
        raise unreadable(LABEL)
    return Posted(part, number, text_of(status, "url"))


def _plain(content: str) -> str:
    """The words of a status, which comes as HTML."""
    parser = _Words()
    parser.feed(content)
    return "".join(parser.words)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)
