"""Bluesky: a notice as records of `app.bsky.feed.post`, the further parts as replies.

The record key of a part follows from the batch's retry key, so it is chosen and stored before anything is sent: a
repository takes no second record under it. What it answers then differs (500 or 409), so a record that may be
there is asked for. Nothing is edited: readers would not see it. Sources: docs.bsky.app (createRecord, posts, rich
text facets, rate limits), atproto.com/specs/record-key and /tid; for the 500 atproto issue 3718.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from channels.channel import AccountStopped, ChannelError
from channels.http import HttpAnswer
from channels.posted import Posted, PostState
from channels.posting.answers import NOT_AUTHORISED, decode, failure, is_success, text_of, unreadable
from channels.posting.base import PostingChannel, TextPosts
from channels.posting.calls import JsonCalls
from channels.posting.session import PostingSession, Step
from channels.posting.splitting import LINK, graphemes
from channels.reasons import Reason

LABEL = "Bluesky"
ORIGIN = "https://bsky.social"
LIMIT, BYTES = 300, 3_000
COLLECTION = "app.bsky.feed.post"
SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
CLOCK_IDS = 1_024


@dataclass(frozen=True, slots=True)
class BlueskyChannel(PostingChannel):
    """The channel "bluesky". `user` is the account's handle, `token` an app password."""

    user: str
    token: str = field(repr=False)
    api_base: str = ORIGIN
    parts: int = 4
    timeout: float = 30.0

    name = "bluesky"
    label = LABEL

    def open(self) -> PostingSession:
        return PostingSession(self, Bluesky(self.api_base, self.user, self.token, self.timeout))

    def fits(self, text: str) -> bool:
        return graphemes(text) <= LIMIT and len(text.encode()) <= BYTES


def record_key(published_at: int, part: int, key: str) -> str:
    """A TID: 53 bits of microseconds and 10 bits that tell writers apart, both the same in every try."""
    digest = sha256(key.encode()).digest()
    moment = published_at * 1_000 + part * 1_000 + int.from_bytes(digest[:4]) % 1_000
    number = moment * CLOCK_IDS + int.from_bytes(digest[4:8]) % CLOCK_IDS
    return "".join(SORTABLE[number >> shift & 31] for shift in range(60, -1, -5))


def facets(text: str) -> list[dict[str, Any]]:
    """The links in a text; places count in bytes of UTF-8."""
    return [
        {
            "index": {
                "byteStart": len(text[: found.start()].encode()),
                "byteEnd": len(text[: found.end()].encode()),
            },
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": found.group()}],
        }
        for found in LINK.finditer(text)
    ]


class Bluesky:
    """The repository of one account. The session is kept and refreshed: logging in is limited to 300 a day."""

    marks = False

    def __init__(self, origin: str, user: str, password: str, timeout: float) -> None:
        self._calls = JsonCalls(f"{origin.rstrip('/')}/xrpc", {}, timeout)
        self._user, self._password = user, password
        self._access = self._refresh = self._did = ""

    async def show(self, step: Step) -> AsyncIterator[Posted]:
        prepared: TextPosts = step.prepared
        text = prepared.parts[step.part]
        moment = datetime.fromtimestamp(prepared.announcement.published_at / 1000, UTC)
        record: dict[str, Any] = {
            "$type": COLLECTION,
            "text": text,
            "createdAt": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "langs": [prepared.language.partition("-")[0]],
            "facets": facets(text),
        }
        if step.before is not None and (reply := await self._reply(step.before)):
            record["reply"] = reply
        key = _key(step)
        content = {"collection": COLLECTION, "rkey": key, "record": record}
        answer = await self._authorised("POST", "/com.atproto.repo.createRecord", content)
        if not is_success(answer):
            # A record that is there already is answered with a server's error.
            if answer.status >= 500 or answer.status == 409:
                found = await self._find(key)
                if found is not None:
                    yield _posted(step.part, found)
                    return
            raise _error(answer)
        yield _posted(step.part, decode(answer))

    async def look_for(self, step: Step) -> Posted | None:
        found = await self._find(_key(step))
        return None if found is None else _posted(step.part, found)

    async def take_back(self, earlier: Posted, prepared: TextPosts, instead: Posted) -> PostState:
        content = {"collection": COLLECTION, "rkey": _place(earlier)[0].rpartition("/")[2]}
        gone = await self._find(content["rkey"]) is None
        answer = await self._authorised("POST", "/com.atproto.repo.deleteRecord", content)
        if not is_success(answer):
            raise _error(answer)
        return PostState.GONE if gone else PostState.DELETED

    async def close(self) -> None:
        await self._calls.close()

    async def _reply(self, before: Posted) -> dict[str, Any] | None:
        """Where a part hangs on; None when somebody has deleted what it would answer."""
        uri, cid = _place(before)
        found = await self._find(uri.rpartition("/")[2])
        if found is None:
            return None
        parent = {"uri": uri, "cid": cid}
        value = found.get("value")
        reply = value.get("reply") if isinstance(value, dict) else None
        root = reply.get("root") if isinstance(reply, dict) else None
        return {"root": root or parent, "parent": parent}

    async def _find(self, key: str) -> dict[str, Any] | None:
        await self._log_in()
        wanted = urlencode({"repo": self._did, "collection": COLLECTION, "rkey": key})
        answer = await self._authorised("GET", f"/com.atproto.repo.getRecord?{wanted}")
        if is_success(answer):
            return decode(answer)
        if answer.status == 404 or text_of(decode(answer), "error") == "RecordNotFound":
            return None
        raise _error(answer)

    async def _authorised(self, method: str, path: str, content: dict[str, Any] | None = None) -> HttpAnswer:
        """A call in the session, which is refreshed once when it has ended."""
        for fresh in (False, True):
            await self._log_in(again=fresh)
            about = {"Authorization": f"Bearer {self._access}"}
            body = None if content is None else {"repo": self._did, **content}
            answer = await self._calls.call(method, path, body, about)
            ended = text_of(decode(answer), "error") == "ExpiredToken"
            if not ended:
                break
        return answer

    async def _log_in(self, *, again: bool = False) -> None:
        if self._access and not again:
            return
        answer = None
        if again and self._refresh:
            about = {"Authorization": f"Bearer {self._refresh}"}
            answer = await self._calls.call("POST", "/com.atproto.server.refreshSession", None, about)
        if answer is None or not is_success(answer):
            about_me = {"identifier": self._user, "password": self._password}
            answer = await self._calls.call("POST", "/com.atproto.server.createSession", about_me)
        if not is_success(answer):
            raise _error(answer)
        content = decode(answer)
        self._access, self._refresh = text_of(content, "accessJwt"), text_of(content, "refreshJwt")
        self._did = text_of(content, "did")
        if not self._access or not self._did:
            raise unreadable(LABEL)


def _key(step: Step) -> str:
    return record_key(step.prepared.announcement.published_at, step.part, step.key)


def _place(posted: Posted) -> tuple[str, str]:
    """The address of a record and its content's hash."""
    uri, _, cid = posted.remote_id.partition(" ")
    return uri, cid


def _posted(part: int, record: dict[str, Any]) -> Posted:
    uri, cid = text_of(record, "uri"), text_of(record, "cid")
    if not uri:
        raise unreadable(LABEL)
    did, _, rest = uri.removeprefix("at://").partition("/")
    return Posted(part, f"{uri} {cid}", f"https://bsky.app/profile/{did}/post/{rest.rpartition('/')[2]}")


def _error(answer: HttpAnswer) -> ChannelError:
    code = text_of(decode(answer), "error")
    if code in ("AccountTakedown", "AccountSuspended", "AccountDeactivated"):
        return AccountStopped(Reason.POST_ACCOUNT, f"{LABEL}のアカウントが止められています。")
    if code in ("AuthFactorTokenRequired", "InvalidToken", "AuthenticationRequired"):
        return AccountStopped(Reason.POST_TOKEN, f"{LABEL}のアプリパスワードが使えません。")
    if answer.status == NOT_AUTHORISED:
        return AccountStopped(Reason.POST_TOKEN, f"{LABEL}のアプリパスワードが使えません(401)。")
    return failure(answer, LABEL)
