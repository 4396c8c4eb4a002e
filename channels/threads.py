"""Threads: a notice as posts, the first with a picture of it, the further parts as replies.

A withdrawal deletes what it withdraws; nothing is edited. Sources: developers.facebook.com, "Threads API: Posts",
"Delete posts", "Error codes".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from channels.posted import Posted, PostState
from channels.posting.base import PostingChannel, TextPosts
from channels.posting.card import card_address
from channels.posting.containers import Containers
from channels.posting.graph import is_gone, problem_in
from channels.posting.session import AskedPostingSession, Step
from channels.rendering import heading

LABEL = "Threads"
ORIGIN = "https://graph.threads.net/v1.0"
LIMIT = 500


@dataclass(frozen=True, slots=True)
class ThreadsChannel(PostingChannel):
    """The channel "threads". `user` is the number of the account."""

    user: str
    token: str = field(repr=False)
    api_base: str = ORIGIN
    parts: int = 4
    timeout: float = 30.0

    name = "threads"
    label = LABEL

    def open(self) -> AskedPostingSession:
        return AskedPostingSession(self, Threads(self.api_base, self.user, self.token, self.timeout))

    def fits(self, text: str) -> bool:
        # Emoji count as their bytes of UTF-8, so the larger figure of both.
        return len(text) + sum(3 for sign in text if sign > "\uffff") <= LIMIT


class Threads(Containers):
    """The posts of one account."""

    label = LABEL
    making, publishing, listing = "threads", "threads_publish", "threads"
    status, words = "status", "text"
    marks = False

    def content(self, step: Step) -> dict[str, Any]:
        prepared: TextPosts = step.prepared
        announcement, language = prepared.announcement, prepared.language
        content: dict[str, Any] = {"media_type": "TEXT", "text": prepared.parts[step.part]}
        if step.before is not None:
            content["reply_to_id"] = step.before.remote_id
        if step.part == 0 and announcement.url:
            content["media_type"] = "IMAGE"
            content["image_url"] = card_address(announcement, language)
            content["alt_text"] = heading(announcement, language)[:1_000]
        return content

    async def take_back(self, earlier: Posted, prepared: TextPosts, instead: Posted) -> PostState:
        answer = await self._calls.call("DELETE", f"/{earlier.remote_id}")
        if is_gone(answer):
            return PostState.GONE
        if error := problem_in(answer, LABEL):
            raise error
        return PostState.DELETED
