"""X: a notice as posts, the further parts as replies. Each costs money, so the preview says how much.

There is no key against repetitions, but the same words again are answered with 403: that, and what was never heard
of, is looked for on our own timeline. Posts cannot be edited; a withdrawal deletes them. Tokens are those of OAuth
1.0a, which do not end. Sources: docs.x.com (create post, delete post, user posts, rate limits, counting characters).
"""

from __future__ import annotations

import html
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import time
from typing import Any

from channels.channel import AccountStopped, BatchRefused, ChannelError, TemporaryFailure, UnknownOutcome
from channels.http import HttpAnswer
from channels.posted import Posted, PostState
from channels.posting.answers import FORBIDDEN, TOO_MANY, decode, failure, is_success, text_of, unreadable
from channels.posting.base import PostingChannel, TextPosts
from channels.posting.calls import JsonCalls
from channels.posting.session import PostingSession, Step
from channels.posting.splitting import LINK
from channels.posting.timeline import is_of_now, same_words
from channels.posting.x_length import LIMIT, has_link, weight
from channels.reasons import Reason

LABEL = "X"
ORIGIN = "https://api.x.com"
# US dollars for a post, and for one with a link (2026-08).
COST, COST_WITH_LINK = 0.015, 0.200
LOOKED_AT = 20
NO_CREDIT = 402


@dataclass(frozen=True, slots=True)
class XKeys:
    """The consumer key of the app and the token of the account, each with its secret."""

    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    token: str = field(repr=False)
    token_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class XChannel(PostingChannel):
    """The channel "x". Without `link` a post leads to the page of the notice only when words are left out."""

    keys: XKeys
    link: bool = True
    api_base: str = ORIGIN
    parts: int = 4
    timeout: float = 30.0

    name = "x"
    label = LABEL

    def open(self) -> PostingSession:
        return PostingSession(self, X(self.api_base, self.keys, self.timeout))

    def fits(self, text: str) -> bool:
        return weight(text) <= LIMIT

    @property
    def with_link(self) -> bool:
        return self.link

    def remarks(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        links = sum(map(has_link, parts))
        cost = links * COST_WITH_LINK + (len(parts) - links) * COST
        return (
            f"Xの費用の目安 {cost:.3f}米ドル(リンクのある投稿 {links}件、ない投稿 {len(parts) - links}件)",
        )


class X:
    """The posts of one account."""

    marks = False

    def __init__(self, origin: str, keys: XKeys, timeout: float) -> None:
        self._origin = origin.rstrip("/")
        self._keys = keys
        self._calls = JsonCalls(self._origin, {}, timeout)
        self._user = ""

    async def show(self, step: Step) -> AsyncIterator[Posted]:
        prepared: TextPosts = step.prepared
        content: dict[str, Any] = {"text": prepared.parts[step.part]}
        if step.before is not None:
            content["reply"] = {"in_reply_to_tweet_id": step.before.remote_id}
        answer = await self._call("POST", "/2/tweets", content)
        if answer.status == FORBIDDEN and "deleted or not visible" in _detail(answer):
            # What it answers was deleted by hand: the words stand by themselves.
            del content["reply"]
            answer = await self._call("POST", "/2/tweets", content)
        if answer.status == FORBIDDEN and "duplicate" in _detail(answer):
            found = await self.look_for(step)
            if found is None:
                raise _duplicate(step)
            yield found
            return
        if not is_success(answer):
            raise _error(answer)
        data = decode(answer).get("data")
        if not text_of(data, "id"):
            raise unreadable(LABEL)
        yield _posted(step.part, text_of(data, "id"))

    async def look_for(self, step: Step) -> Posted | None:
        prepared: TextPosts = step.prepared
        if not self._user:
            who = await self._call("GET", "/2/users/me")
            if not is_success(who):
                raise _error(who)
            self._user = text_of(decode(who), "data", "id")
        path = f"/2/users/{self._user}/tweets?max_results={LOOKED_AT}&tweet.fields=created_at"
        answer = await self._call("GET", path)
        if not is_success(answer):
            raise _error(answer)
        posts = decode(answer).get("data")
        for post in posts if isinstance(posts, list) else []:
            of_now = is_of_now(text_of(post, "created_at"), prepared.announcement)
            # Links come back shortened.
            shown = LINK.sub("", html.unescape(text_of(post, "text")))
            if of_now and same_words(shown, LINK.sub("", prepared.parts[step.part])):
                return _posted(step.part, text_of(post, "id"))
        return None

    async def take_back(self, earlier: Posted, prepared: TextPosts, instead: Posted) -> PostState:
        answer = await self._call("DELETE", f"/2/tweets/{earlier.remote_id}")
        if is_success(answer):
            return PostState.DELETED
        if answer.status == 404:
            return PostState.GONE
        raise _error(answer)

    async def close(self) -> None:
        await self._calls.close()

    async def _call(self, method: str, path: str, content: object = None) -> HttpAnswer:
        from oauthlib.oauth1 import Client

        # It tells the log what it signs, and with what.
        logging.getLogger("oauthlib").setLevel(logging.WARNING)
        keys = self._keys
        client = Client(
            keys.app_key,
            client_secret=keys.app_secret,
            resource_owner_key=keys.token,
            resource_owner_secret=keys.token_secret,
        )
        # A body of JSON is not part of what is signed.
        _, headers, _ = client.sign(self._origin + path, http_method=method)
        return await self._calls.call(method, path, content, dict(headers))


def _posted(part: int, number: str) -> Posted:
    return Posted(part, number, f"https://x.com/i/web/status/{number}")


def _detail(answer: HttpAnswer) -> str:
    return text_of(decode(answer), "detail").lower()


def _duplicate(step: Step) -> ChannelError:
    message = "Xが、同じ文の投稿がすでにあると断りました(403)。"
    if step.in_doubt:
        return UnknownOutcome(Reason.POST_DUPLICATE, message, for_good=True)
    return BatchRefused(Reason.POST_DUPLICATE, message)


def _error(answer: HttpAnswer) -> ChannelError:
    if answer.status == NO_CREDIT or "credits" in _detail(answer):
        return AccountStopped(Reason.POST_CREDIT, "Xの前払いの残高がありません。")
    if answer.status == TOO_MANY and answer.retry_after is None:
        reset = answer.headers.get("x-rate-limit-reset", "")
        wait = max(1.0, float(reset) - time()) if reset.isdecimal() else None
        return TemporaryFailure(Reason.RATE, "Xが間をあけるよう求めています(429)。", wait)
    return failure(answer, LABEL)
