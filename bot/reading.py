"""A resident says that she has read a notice (「読みました」), in the chat or on the page of a mail's link: the same act."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.ledger.read_receipts import receipts_of, say_read
from content.notices import notices
from content.notices.notices import Notice
from content.register.states import Route
from content.register.subscribers import Subscriber
from content.register.tokens import subscriber_token

THANKS = {
    "ja": "「{title}」を読んだことを、町に伝えました。",
    "ja-easy": "「{title}」を 読（よ）んだ ことを 町（まち）に 伝（つた）えました。",
    "en": "We told the town that you have read “{title}”.",
}
NOT_NEEDED = {
    "ja": "このお知らせには、「読みました」の返事はいりません。",
    "ja-easy": "この お知（し）らせは、返事（へんじ）を しなくても いいです。",
    "en": "This notice needs no answer.",
}


@dataclass(frozen=True, slots=True)
class SaidRead:
    """Whether it is written down now, and what she is told."""

    counts: bool
    answer: str


def read_path(keys: Keys, public_id: str, subscriber_id: int, salt: int) -> str:
    """Where one recipient says that she has read one notice."""
    return f"/n/{public_id}/read/{subscriber_token(keys, purpose(public_id), subscriber_id, salt)}"


def purpose(public_id: str) -> str:
    """What the token of such a link serves: this notice and nothing else."""
    return f"read {public_id}"


async def have_read(connection: AsyncConnection, reader: Subscriber) -> list[tuple[str, int]]:
    """(title in her language, when) of what she has said to have read, the latest first."""
    language = reader.preferences.language
    return [(_title(found, language), at) for found, at in await receipts_of(connection, reader.id)]


async def said_read(
    connection: AsyncConnection, public_id: str, reader: Subscriber | None, *, route: Route, at: int
) -> SaidRead:
    language = reader.preferences.language if reader else "ja"
    found = await notices.find_public(connection, public_id)
    if found is None or reader is None or not await say_read(connection, found, reader, route=route, at=at):
        return SaidRead(False, NOT_NEEDED.get(language, NOT_NEEDED["en"]))
    return SaidRead(True, THANKS.get(language, THANKS["en"]).format(title=_title(found, language)))


def _title(found: Notice, language: str) -> str:
    return " ".join(found.spec.texts.get(language, found.spec.texts["ja"])[0].split())
