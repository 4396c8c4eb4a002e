"""What the channels that post have in common: one batch is one notice, shown by one account."""

from __future__ import annotations

from dataclasses import dataclass, field

from channels.channel import Announcement
from channels.posting.words import post_texts
from channels.preview import Preview
from channels.rendering import heading


@dataclass(frozen=True, slots=True)
class TextPosts:
    """A notice as texts, one a post."""

    announcement: Announcement = field(repr=False)
    language: str
    parts: tuple[str, ...] = field(repr=False)


class PostingChannel:
    """Of services that take texts: what differs is how long they are and how they are shown.

    `label` is how people call the service, `parts` how many posts a notice may take.
    """

    name: str
    label: str
    parts: int

    batch_size = 1
    concurrency = 1
    rate = None
    # A repetition is found by looking first, and not by the service alone.
    idempotent = False
    broadcasts = False
    metered = False
    posts = True

    def fits(self, text: str) -> bool:
        """Whether the service takes it as one post."""
        raise NotImplementedError

    @property
    def with_link(self) -> bool:
        return True

    def prepare(self, announcement: Announcement, language: str) -> TextPosts:
        """Raises CannotRender."""
        texts = post_texts(
            announcement,
            language,
            service=self.label,
            fits=self.fits,
            parts=self.parts,
            with_link=self.with_link,
        )
        return TextPosts(announcement, language, texts)

    def preview(self, announcement: Announcement, language: str) -> Preview:
        """The posts as they will be shown. Raises CannotRender."""
        parts = self.prepare(announcement, language).parts
        return Preview(
            self.name,
            language,
            heading(announcement, language),
            "\n\n".join(parts),
            notes=(f"投稿{len(parts)}件", *self.remarks(parts)),
            posts=parts,
        )

    def remarks(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """What whoever sends it should know beside the words, such as the cost."""
        return ()
