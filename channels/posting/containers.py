"""Instagram and Threads take a post in two steps: a container, and its publication.

The container's id is stored before it is published, and it can be published once: so what was not heard of is asked
for there, and never published a second time. A container ends after a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from channels.channel import BatchRefused, TemporaryFailure
from channels.posted import Posted, PostState
from channels.posting.answers import decode, text_of, unreadable
from channels.posting.base import TextPosts
from channels.posting.calls import JsonCalls
from channels.posting.graph import problem_in
from channels.posting.session import Step
from channels.posting.timeline import is_of_now, same_words
from channels.reasons import Reason

LOOKED_AT = 25
# The services fetch the picture and look at it; then it is asked for again in the next try.
LOOKS, PAUSE = 10, 1.0


class Containers:
    """What both services have in common. `status` names the field of a container, `words` that of a post."""

    label: str
    making: str
    publishing: str
    listing: str
    status: str
    words: str

    def __init__(self, origin: str, user: str, token: str, timeout: float) -> None:
        self._calls = JsonCalls(origin, {"Authorization": f"Bearer {token}"}, timeout)
        self._user = user

    def content(self, step: Step) -> dict[str, Any]:
        """What the container is made of."""
        raise NotImplementedError

    async def show(self, step: Step) -> AsyncIterator[Posted]:
        container, state = step.begun.remote_id if step.begun else "", ""
        if container:
            state = await self._state(container)
        if state in ("ERROR", "EXPIRED", ""):
            container = await self._make(step)
            yield Posted(step.part, container, state=PostState.BEGUN)
        if state == "PUBLISHED":
            found = await self.look_for(step)
            if found is None:
                raise TemporaryFailure(Reason.RECEIVER_BUSY, f"{self.label}に、出た投稿がまだ見えません。")
            yield found
            return
        await self._wait(container)
        number = await self._write(f"/{self._user}/{self.publishing}", {"creation_id": container})
        yield Posted(step.part, number, await self._address(number))

    async def look_for(self, step: Step) -> Posted | None:
        prepared: TextPosts = step.prepared
        path = f"/{self._user}/{self.listing}?fields=id,{self.words},timestamp,permalink&limit={LOOKED_AT}"
        posts = (await self._read(path)).get("data")
        for post in posts if isinstance(posts, list) else []:
            of_now = is_of_now(text_of(post, "timestamp"), prepared.announcement)
            if of_now and same_words(text_of(post, self.words), prepared.parts[step.part]):
                return Posted(step.part, text_of(post, "id"), text_of(post, "permalink"))
        return None

    async def ask(self) -> None:
        await self._read(f"/{self._user}?fields=id")

    async def close(self) -> None:
        await self._calls.close()

    async def _make(self, step: Step) -> str:
        path, content = f"/{self._user}/{self.making}", self.content(step)
        try:
            return await self._write(path, content)
        except BatchRefused:
            if content.pop("reply_to_id", None) is None:
                raise
            # Perhaps what it answers was deleted by hand: then the words stand by themselves.
            return await self._write(path, content)

    async def _wait(self, container: str) -> None:
        for _ in range(LOOKS):
            state = await self._state(container)
            if state == "FINISHED":
                return
            if state in ("ERROR", "EXPIRED"):
                raise BatchRefused(Reason.IMAGE_REFUSED, f"{self.label}が画像を受け付けませんでした。")
            await asyncio.sleep(PAUSE)
        raise TemporaryFailure(Reason.RECEIVER_BUSY, f"{self.label}が画像を読みこんでいます。", 5.0)

    async def _state(self, container: str) -> str:
        return text_of(await self._read(f"/{container}?fields={self.status}"), self.status)

    async def _address(self, number: str) -> str:
        """For staff alone, so that nothing fails for the want of it."""
        answer = await self._calls.call("GET", f"/{number}?fields=permalink")
        return text_of(decode(answer), "permalink")

    async def _read(self, path: str) -> dict[str, Any]:
        answer = await self._calls.call("GET", path)
        if error := problem_in(answer, self.label):
            raise error
        return decode(answer)

    async def _write(self, path: str, content: dict[str, Any]) -> str:
        answer = await self._calls.call("POST", path, content)
        if error := problem_in(answer, self.label):
            raise error
        number = text_of(decode(answer), "id")
        if not number:
            raise unreadable(self.label)
        return number
