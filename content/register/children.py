"""The children of a registration: a month of birth each, and what the resident calls them if she likes.

Twins have one month and so stand in one row. The words are for her eyes alone, so they are sealed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.register.states import Route
from content.register.subscriber_changes import alter_preferences
from content.register.subscribers import Preferences, Subscriber, child_word, require

MOST = 12
OLDEST_YEARS = 18
LONGEST_WORD = 12
REASON = "resident"


class BadChild(ValueError):
    """This child cannot be added; the message is a key of the words for it: month, many or word."""


@dataclass(frozen=True, slots=True)
class Child:
    """`number` counts from the eldest, 1 first."""

    number: int
    birth_month: str
    word: str = field(default="", repr=False)


async def children_of(connection: AsyncConnection, keys: Keys, subscriber_id: int) -> list[Child]:
    """The eldest first."""
    chosen = (await require(connection, subscriber_id)).preferences.birth_months
    rows = await connection.execute(select(child_word).where(child_word.c.subscriber_id == subscriber_id))
    words = {
        row.birth_month: keys.open(row.sealed, seal_place(subscriber_id, row.birth_month)) for row in rows
    }
    return [Child(number, month, words.get(month, "")) for number, month in enumerate(sorted(chosen), 1)]


async def add_child(
    connection: AsyncConnection,
    keys: Keys,
    subscriber_id: int,
    birth_month: str,
    word: str = "",
    *,
    today: date,
    route: Route,
    at: int,
) -> Subscriber:
    """Also to change the word of a month that stands there already. Raises BadChild."""
    word = " ".join(word.split())
    if len(word) > LONGEST_WORD:
        raise BadChild("word")
    if (
        not _is_month(birth_month)
        or not f"{today.year - OLDEST_YEARS}-{today:%m}" <= birth_month <= f"{today:%Y-%m}"
    ):
        raise BadChild("month")

    def with_child(before: Preferences) -> Preferences:
        months = before.birth_months | {birth_month}
        if len(months) > MOST:
            raise BadChild("many")
        return replace(before, birth_months=months)

    changed = await alter_preferences(
        connection, subscriber_id, with_child, reason=REASON, at=at, route=route
    )
    this = (child_word.c.subscriber_id == subscriber_id, child_word.c.birth_month == birth_month)
    await connection.execute(delete(child_word).where(*this))
    if word and birth_month in changed.preferences.birth_months:
        sealed = keys.seal(word, seal_place(subscriber_id, birth_month))
        await connection.execute(
            insert(child_word).values(subscriber_id=subscriber_id, birth_month=birth_month, sealed=sealed)
        )
    return changed


async def remove_child(
    connection: AsyncConnection, subscriber_id: int, birth_month: str, *, route: Route, at: int
) -> Subscriber:
    """This one alone; its word goes with it."""
    return await alter_preferences(
        connection,
        subscriber_id,
        lambda before: replace(before, birth_months=before.birth_months - {birth_month}),
        reason=REASON,
        at=at,
        route=route,
    )


def _is_month(text: str) -> bool:
    try:
        return date.fromisoformat(f"{text}-01").strftime("%Y-%m") == text
    except ValueError:
        return False


def seal_place(subscriber_id: int, birth_month: str) -> str:
    return f"child {subscriber_id} {birth_month}"
