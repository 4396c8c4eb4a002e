"""Instagram: a notice as one picture with a caption. The picture is made from the notice and fetched from its page.

Neither caption nor post can be changed or deleted by the interface: a correction is a post of its own, and of a
withdrawal the page of the notice says that the old one has to be deleted by hand. Sources: developers.facebook.com,
"Instagram Platform: Content publishing", "Error codes".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from channels.channel import Announcement, CannotRender
from channels.posted import Posted, PostState
from channels.posting.base import PostingChannel, TextPosts
from channels.posting.card import card_address
from channels.posting.containers import Containers
from channels.posting.session import AskedPostingSession, Step
from channels.rendering import heading

LABEL = "Instagram"
ORIGIN = "https://graph.instagram.com/v23.0"
LIMIT = 2_200


@dataclass(frozen=True, slots=True)
class InstagramChannel(PostingChannel):
    """The channel "instagram". `user` is the number of the professional account."""

    user: str
    token: str = field(repr=False)
    api_base: str = ORIGIN
    parts: int = 1
    timeout: float = 30.0

    name = "instagram"
    label = LABEL

    def open(self) -> AskedPostingSession:
        return AskedPostingSession(self, Instagram(self.api_base, self.user, self.token, self.timeout))

    def fits(self, text: str) -> bool:
        return len(text) <= LIMIT

    def prepare(self, announcement: Announcement, language: str) -> TextPosts:
        """Raises CannotRender, also for a notice without a page: the picture is fetched from there."""
        if not announcement.url:
            message = "Instagramには画像が要り、画像は公開ページから取られます。公開ページのある宛先にしてください。"
            raise CannotRender("body", message, language)
        return PostingChannel.prepare(self, announcement, language)

    def remarks(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        return ("お知らせの文を絵にした画像が付きます。",)


class Instagram(Containers):
    """The posts of one account."""

    label = LABEL
    making, publishing, listing = "media", "media_publish", "media"
    status, words = "status_code", "caption"
    marks = False

    def content(self, step: Step) -> dict[str, Any]:
        prepared: TextPosts = step.prepared
        announcement, language = prepared.announcement, prepared.language
        return {
            "image_url": card_address(announcement, language),
            "caption": prepared.parts[step.part],
            "alt_text": heading(announcement, language)[:1_000],
        }

    async def take_back(self, earlier: Posted, prepared: TextPosts, instead: Posted) -> PostState:
        return PostState.LEFT
