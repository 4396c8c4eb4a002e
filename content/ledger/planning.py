"""Who is meant by a delivery and stands in none of its batches yet.

Of a correction or withdrawal those whom the notice at the beginning of its chain reached, whatever they chose since.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import today_jst
from content.database import all_rows, as_one_row
from content.ledger import reached
from content.ledger.deliveries import Delivery
from content.ledger.reached import Slice
from content.ledger.states import Lane
from content.notices import chains
from content.notices.digests import may_be_in_digest
from content.notices.notices import Notice
from content.notices.segments import NobodyMatches, audience, heeds_settings
from content.notices.states import NoticeKind
from content.quiet_hours import NONE
from content.register import posting_accounts
from content.register.subscribers import subscriber
from content.town import Town

# More than any ledger holds of one delivery.
ALL = 100_000_000


async def count_not_planned(
    connection: AsyncConnection, town: Town, planned: Delivery, notice: Notice
) -> int:
    """Raises NobodyMatches."""
    if planned.account in town.account and town.account[planned.account].posts:
        return 1
    if notice.kind != NoticeKind.ORIGINAL:
        source = await _source(connection, planned, notice)
        return (
            0
            if source is None
            else await reached.count_reached(
                connection, source, planned.account, kind=notice.kind, after=planned.planned_up_to
            )
        )
    condition = _not_planned_yet(town, planned, notice)
    return int(await connection.scalar(select(func.count()).select_from(subscriber).where(condition)) or 0)


async def next_slice(
    connection: AsyncConnection, town: Town, planned: Delivery, notice: Notice, limit: int | None
) -> Slice:
    """The next of the audience; `up_to` is what planning remembers behind it. Raises NobodyMatches.

    Without a limit all of them.
    """
    if planned.account in town.account and town.account[planned.account].posts:
        return await _account_itself(connection, town, planned, notice)
    quiet = heeds_quiet_hours(town, planned, notice)
    by_pace = may_wait_for_morning(town, planned, notice)
    if notice.kind == NoticeKind.ORIGINAL:
        people = await _next_people(connection, town, planned, notice, limit, quiet, by_pace)
        more = limit is not None and len(people) >= limit
        return Slice(people, people[-1][0] if people else planned.planned_up_to, more, in_flight=False)
    source = await _source(connection, planned, notice)
    if source is None:
        return Slice([], planned.planned_up_to, more=False, in_flight=False)
    found = await reached.next_reached(
        connection,
        source,
        planned.account,
        kind=notice.kind,
        after=planned.planned_up_to,
        most=limit or ALL,
        quiet=quiet,
    )
    return found


def heeds_quiet_hours(town: Town, planned: Delivery, notice: Notice) -> bool:
    """Whether those who want to be left in peace get it in the morning."""
    return planned.lane != Lane.URGENT and heeds_settings(town, notice.aim, notice.spec.category)


async def _account_itself(
    connection: AsyncConnection, town: Town, planned: Delivery, notice: Notice
) -> Slice:
    """What is posted has one recipient; a correction has it where the notice may have been posted."""
    nobody = Slice([], planned.planned_up_to, more=False, in_flight=False)
    if notice.aim.is_trial:
        return nobody
    in_flight = False
    if notice.kind != NoticeKind.ORIGINAL:
        source = await _source(connection, planned, notice)
        if source is None:
            return nobody
        reach = await reached.reach_of_post(connection, source, kind=notice.kind)
        if not reach.meant:
            return nobody
        in_flight = reach.in_flight
    number = await posting_accounts.number_of(connection, planned.account, at=planned.created_at)
    language = town.account[planned.account].language
    return Slice([(number, language, NONE)], number, more=False, in_flight=in_flight)


def may_wait_for_morning(town: Town, planned: Delivery, notice: Notice) -> bool:
    """Whether those who chose 朝のまとめ get it with the others of the day."""
    return heeds_quiet_hours(town, planned, notice) and may_be_in_digest(town, notice, planned.created_at)


async def is_broadcast(connection: AsyncConnection, planned: Delivery, notice: Notice) -> bool:
    """Whether what this delivery speaks of went out as one call to everybody; for an original always true."""
    if notice.kind == NoticeKind.ORIGINAL:
        return True
    source = await _source(connection, planned, notice)
    return source is not None and await reached.went_by_broadcast(connection, source)


async def _source(connection: AsyncConnection, planned: Delivery, notice: Notice) -> int | None:
    """The delivery on this account whose recipients are spoken to."""
    root = await chains.root_of(connection, notice.id)
    return await reached.delivery_to(connection, root, planned.account)


async def _next_people(
    connection: AsyncConnection,
    town: Town,
    planned: Delivery,
    notice: Notice,
    limit: int | None,
    quiet: bool,
    by_pace: bool,
) -> list[tuple[int, str, str]]:
    """(subscriber id, language, quiet hours) of the next of the audience, in the order of ids. Raises NobodyMatches.

    In one pass over all languages: with a pass for each, who changes the language between two slices
    would stand in two batches or in none.
    """
    statement = (
        select(*reached.reader_columns(quiet, by_pace=by_pace))
        .where(_not_planned_yet(town, planned, notice))
        .order_by(subscriber.c.id)
        .limit(limit)
    )
    return reached.readers(
        await connection.run_sync(all_rows, as_one_row(connection.dialect.name, statement)), quiet
    )


def _not_planned_yet(town: Town, planned: Delivery, notice: Notice) -> ColumnElement[bool]:
    # The day of the firing decides ages, also when planning goes on after midnight.
    day = today_jst(notice.fired_at)
    if not notice.aim.fits(notice.spec.mode):
        raise NobodyMatches("mode", "試験は住民に送れません。")
    return and_(
        subscriber.c.account == planned.account,
        audience(town, notice.aim, notice.spec.category, day),
        subscriber.c.id > planned.planned_up_to,
    )
