"""LINE: a notice to up to 500 friends per multicast, or to every friend by one broadcast.

The messages are built and checked once per notice and language.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from channels.channel import Announcement
from channels.line.api import LineApi, encode
from channels.line.messages import alt_text, build_messages, buttons, check_pictures
from channels.line.session import LinePrepared, LineSession
from channels.preview import Preview
from channels.rendering import body, category_name, heading, mode_note

BATCH_SIZE = 500
# Enough for 200 multicasts a second when each takes 160 ms over the Internet.
CONCURRENCY = 32


@dataclass(frozen=True, slots=True)
class LineChannel:
    """The channel "line", bound to one LINE official account.

    `api_base` is LINE's origin or a sandbox's, `token` the channel access token, `concurrency` multicasts
    in flight, `rate` multicasts per second (LINE allows 200), `timeout` seconds for one call.
    """

    api_base: str
    token: str = field(repr=False)
    concurrency: int = CONCURRENCY
    rate: float | None = 200
    batch_size: int = BATCH_SIZE
    timeout: float = 10.0

    name = "line"
    idempotent = True
    broadcasts = True
    metered = True
    posts = False

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= BATCH_SIZE:
            raise ValueError(f"LINE takes 1 to {BATCH_SIZE} recipients in a multicast, not {self.batch_size}")

    def open(self) -> LineSession:
        api = LineApi(
            self.api_base, self.api_base, self.token, timeout=self.timeout, connections=self.concurrency + 2
        )
        return LineSession(self, api)

    def prepare(self, announcement: Announcement, language: str) -> LinePrepared:
        """The messages in `language`, built by LINE's own models. Raises CannotRender."""
        check_pictures(announcement, allow_http=self.is_stand_in)
        return LinePrepared(encode(build_messages(announcement, language)), silent=announcement.silent)

    def preview(self, announcement: Announcement, language: str) -> Preview:
        """What the phone shows. Raises CannotRender."""
        self.prepare(announcement, language)
        words = "\n\n".join(filter(None, (mode_note(announcement, language), body(announcement, language))))
        return Preview(
            self.name,
            language,
            heading(announcement, language),
            words,
            notes=(category_name(announcement, language),),
            announced=alt_text(announcement, language),
            buttons=tuple(label for label, _ in buttons(announcement, language)),
            pictures=announcement.pictures,
        )

    @property
    def is_stand_in(self) -> bool:
        """One on this machine is reached without a certificate, and so are the pictures."""
        return self.api_base.startswith("http://")
