"""The accounts of a town on the services outside, as its profile names them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
ChannelName = Literal[
    "line",
    "mail",
    "webhook",
    "mastodon",
    "bluesky",
    "x",
    "facebook",
    "instagram",
    "threads",
    "slack",
    "discord",
    "teams",
]
# What an account of these shows, everybody reads: nobody registers there.
POSTING: frozenset[str] = frozenset(
    ("mastodon", "bluesky", "x", "facebook", "instagram", "threads", "slack", "discord", "teams")
)


class Mode(StrEnum):
    """Of a notice and of an account: a drill or test never leaves through an account that is not for it."""

    LIVE = "live"
    DRILL = "drill"
    TEST = "test"


class ProfileModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Account(ProfileModel):
    """One set of credentials on a channel. `also_carries` is the town's explicit permission for
    drills or tests through a live account. `everyone = "broadcast"`: a notice to everyone goes out
    as LINE's broadcast, which also reaches friends whose registration was never recorded.

    Of an account that posts: `topic` is what it is about (公式, 観光, 図書館), `categories` are those that it
    carries, all when none is named, and with `life_critical` also every notice that concerns lives. `language` is
    the one in which it speaks, `parts` how many posts one notice may take there at the most, `link` whether they
    lead to the page of the notice even when everything is said without (at X a link costs more).
    """

    key: Key
    channel: ChannelName
    mode: Mode = Mode.LIVE
    also_carries: tuple[Mode, ...] = ()
    everyone: Literal["multicast", "broadcast"] = "multicast"
    topic: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    categories: tuple[Key, ...] = ()
    life_critical: bool = True
    language: str = "ja"
    parts: int | None = None
    link: bool = True

    @property
    def posts(self) -> bool:
        return self.channel in POSTING

    def carries(self, mode: str) -> bool:
        return mode == self.mode or mode in self.also_carries

    def is_about(self, category: str, *, life_critical: bool) -> bool:
        """Whether a notice of this category belongs here."""
        return not self.categories or category in self.categories or (life_critical and self.life_critical)

    @model_validator(mode="after")
    def _fits_its_channel(self) -> Self:
        if not self.posts:
            if self.topic or self.categories or self.parts is not None:
                raise ValueError(
                    f"accounts.{self.key}: topic, categories and parts are for accounts that post"
                )
            return self
        if self.also_carries:
            raise ValueError(
                f"accounts.{self.key}.also_carries: everybody reads what is posted, so drills and tests take an "
                'account of their own (mode = "drill")'
            )
        if self.parts is not None and not 1 <= self.parts <= 20:
            raise ValueError(f"accounts.{self.key}.parts: 1 to 20")
        return self
