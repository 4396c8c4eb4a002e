"""Facebook: a notice as one post of a page, by a token of that page.

There is no key against repetitions: what was not heard of is looked for in the page's own feed. A correction is
written over the post that it corrects, beside a post of its own; a withdrawal deletes it. Sources:
developers.facebook.com, "Page posts", "Graph API: Handle errors", "Rate limits".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from channels.posted import Posted, PostState
from channels.posting.answers import decode, text_of, unreadable
from channels.posting.base import PostingChannel, TextPosts
from channels.posting.calls import JsonCalls
from channels.posting.corrected import corrected_words
from channels.posting.graph import is_gone, problem_in
from channels.posting.session import AskedPostingSession, Step
from channels.posting.timeline import is_of_now, same_words

LABEL = "Facebook"
ORIGIN = "https://graph.facebook.com/v23.0"
LIMIT = 60_000
LOOKED_AT = 25
EDIT_REFUSED = (400, 403)


@dataclass(frozen=True, slots=True)
class FacebookChannel(PostingChannel):
    """The channel "facebook". `user` is the number of the page, `token` one of that page."""

    user: str
    token: str = field(repr=False)
    api_base: str = ORIGIN
    parts: int = 1
    timeout: float = 30.0

    name = "facebook"
    label = LABEL

    def open(self) -> AskedPostingSession:
        return AskedPostingSession(self, Facebook(self.api_base, self.user, self.token, self.timeout))

    def fits(self, text: str) -> bool:
        return len(text) <= LIMIT


class Facebook:
    """The feed of one page."""

    marks = True

    def __init__(self, origin: str, page: str, token: str, timeout: float) -> None:
        self._calls = JsonCalls(origin, {"Authorization": f"Bearer {token}"}, timeout)
        self._page = page

    async def show(self, step: Step) -> AsyncIterator[Posted]:
        prepared: TextPosts = step.prepared
        content = {"message": prepared.parts[step.part]}
        if prepared.announcement.url:
            content["link"] = prepared.announcement.url
        answer = await self._calls.call("POST", f"/{self._page}/feed", content)
        if error := problem_in(answer, LABEL):
            raise error
        yield _posted(step.part, decode(answer))

    async def look_for(self, step: Step) -> Posted | None:
        prepared: TextPosts = step.prepared
        path = f"/{self._page}/feed?fields=id,message,created_time&limit={LOOKED_AT}"
        answer = await self._calls.call("GET", path)
        if error := problem_in(answer, LABEL):
            raise error
        posts = decode(answer).get("data")
        for post in posts if isinstance(posts, list) else []:
            of_now = is_of_now(text_of(post, "created_time"), prepared.announcement)
            if of_now and same_words(text_of(post, "message"), prepared.parts[step.part]):
                return _posted(step.part, post)
        return None

    async def take_back(self, earlier: Posted, prepared: TextPosts, instead: Posted) -> PostState:
        if prepared.announcement.kind == "withdrawal":
            answer = await self._calls.call("DELETE", f"/{earlier.remote_id}")
            done = PostState.DELETED
        else:
            words = corrected_words(prepared.announcement, prepared.language, instead.url)
            answer = await self._calls.call("POST", f"/{earlier.remote_id}", {"message": words})
            done = PostState.MARKED
        if is_gone(answer):
            return PostState.GONE
        error = problem_in(answer, LABEL)
        if error is None:
            return done
        if answer.status in EDIT_REFUSED:
            return PostState.LEFT
        raise error

    async def ask(self) -> None:
        answer = await self._calls.call("GET", f"/{self._page}?fields=id")
        if error := problem_in(answer, LABEL):
            raise error

    async def close(self) -> None:
        await self._calls.close()


def _posted(part: int, post: dict[str, Any]) -> Posted:
    number = text_of(post, "id")
    if not number:
        raise unreadable(LABEL)
    return Posted(part, number, f"https://www.facebook.com/{number}")
