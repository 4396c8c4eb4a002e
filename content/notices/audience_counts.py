"""How many a target matches now: the figure of the impact card.

Who is sent to is decided by `segments.audience` alone, from the row of each subscriber.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, and_, distinct, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database
from content.notices.segments import Choice, Rules, Target, audience, heeds_settings, paused_on, rules_of
from content.register.imports import has_come_in
from content.register.states import SubscriberState
from content.register.subscribers import preference, subscriber
from content.town import Town

# So many of those who made a choice are counted to find out whether few did.
FEW = 100_000


async def count_audience(
    database: Database, town: Town, target: Target, category: str, accounts: Sequence[str], today: date
) -> dict[str, int]:
    """Active registrations per account that the target matches now. Raises NobodyMatches.

    Both halves of the register at once, as a large one keeps a processor busy for a tenth of a second.
    """
    if target.is_trial:
        async with database.read() as connection:
            found = await count_languages(connection, town, target, category, accounts, today)
        return {account: sum(n for (key, _), n in found.items() if key == account) for account in accounts}
    rules_of(town, target, category, today)

    async def count(after: int, up_to: int | None) -> dict[str, int]:
        async with database.read() as connection:
            return await count_part(
                connection, town, target, category, accounts, today, after=after, up_to=up_to
            )

    async with database.read() as connection:
        middle = (await connection.scalar(select(func.max(subscriber.c.id))) or 0) // 2
    lower, upper = await asyncio.gather(count(0, middle), count(middle, None))
    return {account: lower[account] + upper[account] for account in accounts}


async def count_part(
    connection: AsyncConnection,
    town: Town,
    target: Target,
    category: str,
    accounts: Sequence[str],
    today: date,
    *,
    after: int = 0,
    up_to: int | None = None,
) -> dict[str, int]:
    """As `count_audience`, of those with ids in the range."""
    rules = rules_of(town, target, category, today)
    found = await count_matches(connection, rules, accounts, after=after, up_to=up_to)
    if not heeds_settings(town, target, category):
        return found
    paused = await count_paused(connection, rules, today, after=after, up_to=up_to)
    return {account: number - paused.get(account, 0) for account, number in found.items()}


async def count_languages(
    connection: AsyncConnection,
    town: Town,
    target: Target,
    category: str,
    accounts: Sequence[str],
    today: date,
) -> dict[tuple[str, str], int]:
    """Active registrations that the target matches now, by account and the language they chose. Raises NobodyMatches."""
    rows = await connection.execute(
        select(subscriber.c.account, subscriber.c.language, func.count())
        .where(audience(town, target, category, today), subscriber.c.account.in_(accounts))
        .group_by(subscriber.c.account, subscriber.c.language)
    )
    return {(account, language): int(count) for account, language, count in rows}


async def count_matches(
    connection: AsyncConnection,
    rules: Rules | None,
    accounts: Sequence[str],
    *,
    after: int = 0,
    up_to: int | None = None,
) -> dict[str, int]:
    """Those for whom the rules of `rules_of` hold, with ids in the range, per account."""
    if rules is None:
        return await _count_everyone(connection, accounts, _within(subscriber.c.id, after, up_to))
    # A count needs no order, so it begins with those who made the rarest choice and asks about the others.
    who = preference.c.subscriber_id
    within = _within(who, after, up_to)
    certain = tuple(item for item in rules.made if not item.or_none)
    if not certain:
        found = await _count_rows(
            connection, subscriber.c.account.in_(accounts), _within(subscriber.c.id, after, up_to), rules
        )
        return {account: found.get(account, 0) for account in accounts}
    first = await _rarest(connection, certain, within)
    counted = func.count() if first.is_single else func.count(distinct(who))
    statement = select(*(counted.filter(preference.c.account == account) for account in accounts)).where(
        first.of(preference),
        within,
        preference.c.active,
        has_come_in(who),
        *(choice.made_by(who) for choice in rules.made if choice is not first),
        *(~choice.made_by(who) for choice in rules.not_made),
    )
    if rules.languages:
        statement = statement.where(subscriber.c.id == who, *rules.languages)
    counts = (await connection.execute(statement)).one()
    return dict(zip(accounts, map(int, counts), strict=True))


async def _count_everyone(
    connection: AsyncConnection, accounts: Sequence[str], within: ColumnElement[bool]
) -> dict[str, int]:
    counts = await _count_rows(connection, subscriber.c.account.in_(accounts), within, None)
    return {account: counts.get(account, 0) for account in accounts}


async def count_paused(
    connection: AsyncConnection, rules: Rules | None, today: date, *, after: int = 0, up_to: int | None = None
) -> dict[str, int]:
    """Those for whom the rules hold and who want only what is life-critical today, by account."""
    paused = subscriber.c.id.in_(paused_on(today))
    return await _count_rows(connection, paused, _within(subscriber.c.id, after, up_to), rules)


async def _count_rows(
    connection: AsyncConnection,
    which: ColumnElement[bool],
    within: ColumnElement[bool],
    rules: Rules | None,
) -> dict[str, int]:
    rows = await connection.execute(
        select(subscriber.c.account, func.count())
        .where(
            subscriber.c.state == SubscriberState.ACTIVE,
            has_come_in(subscriber.c.id),
            which,
            within,
            *(rules.of(subscriber.c.id) if rules else ()),
        )
        .group_by(subscriber.c.account)
    )
    return {account: int(count) for account, count in rows}


async def _rarest(
    connection: AsyncConnection, choices: tuple[Choice, ...], within: ColumnElement[bool]
) -> Choice:
    """The choice that fewest have made; the last of all when each was made by many."""
    if len(choices) == 1:
        return choices[0]
    sizes = (
        select(func.count())
        .select_from(select(preference.c.kind).where(choice.of(preference), within).limit(FEW).subquery())
        .scalar_subquery()
        for choice in choices
    )
    found = (await connection.execute(select(*sizes))).one()
    _, place = min((size, -place) for place, size in enumerate(found))
    return choices[-place]


def _within(number: ColumnElement[int], after: int, up_to: int | None) -> ColumnElement[bool]:
    return number > after if up_to is None else and_(number > after, number <= up_to)


async def areas_with_somebody(
    connection: AsyncConnection, areas: Sequence[str], categories: Sequence[str]
) -> set[str]:
    """Those of the areas that an active registration with one of these categories has named."""
    found = await connection.scalars(
        select(preference.c.value)
        .distinct()
        .where(
            preference.c.kind == "area",
            preference.c.value.in_(areas),
            preference.c.active,
            Choice("category", tuple(categories)).made_by(preference.c.subscriber_id),
        )
    )
    return {str(value) for value in found}
