"""Whom a notice reached or was about to reach, read batch by batch: the audience of its correction or withdrawal.

Preferences do not count: whoever was sent the wrong words must hear of it. A correction also goes to those
for whom the notice was still under way when it was stopped: they are meant, and the corrected words are the
first that they get. A withdrawal goes to nobody who cannot have got the notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, case, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import all_rows, among, as_list, as_one_row
from content.ledger.deliveries import batch, delivery, refusal
from content.ledger.recipients import unpack
from content.ledger.retention import delivery_summary
from content.ledger.states import BatchKind, BatchState
from content.ledger.stopping import CORRECTED, STOPPED
from content.notices.states import NoticeKind
from content.quiet_hours import NONE
from content.register.states import Pace, SubscriberState
from content.register.subscribers import subscriber

NOT_SENT_YET = (STOPPED, CORRECTED)


@dataclass(frozen=True, slots=True)
class Slice:
    """(subscriber id, language, quiet hours) of those still registered, ascending; `up_to` is the last batch that
    was read. Quiet hours that do not count for a delivery are "none".

    `in_flight`: somebody is sending one of these batches, so what became of it is not known yet.
    """

    people: list[tuple[int, str, str]]
    up_to: int
    more: bool
    in_flight: bool


async def delivery_to(connection: AsyncConnection, notice_id: int, account: str) -> int | None:
    """The delivery of a notice on an account, None when it did not go out there."""
    found = await connection.scalar(
        select(delivery.c.id).where(delivery.c.notice_id == notice_id, delivery.c.account == account)
    )
    return None if found is None else int(found)


async def deliveries_of(connection: AsyncConnection, notice_id: int) -> list[tuple[int, str, str]]:
    """(id, account, channel) of a notice that has gone out."""
    rows = await connection.execute(
        select(delivery.c.id, delivery.c.account, delivery.c.channel)
        .where(delivery.c.notice_id == notice_id)
        .order_by(delivery.c.id)
    )
    return [(int(delivery_id), account, channel) for delivery_id, account, channel in rows]


async def is_forgotten(connection: AsyncConnection, notice_id: int) -> bool:
    """Whether the ledger does not know any more to whom it went."""
    found = await connection.scalar(
        select(
            exists().where(delivery_summary.c.delivery_id == delivery.c.id, delivery.c.notice_id == notice_id)
        )
    )
    return bool(found)


async def went_by_broadcast(connection: AsyncConnection, delivery_id: int) -> bool:
    """Whether one call to everybody may have been accepted: also those heard it who are in no list."""
    found = await connection.scalar(
        select(batch.c.id)
        .where(
            batch.c.delivery_id == delivery_id,
            batch.c.kind == BatchKind.BROADCAST,
            (batch.c.accepted > 0) | (batch.c.unknown > 0) | (batch.c.state == BatchState.CLAIMED),
        )
        .limit(1)
    )
    return found is not None


async def next_reached(
    connection: AsyncConnection,
    delivery_id: int,
    account: str,
    *,
    kind: str,
    after: int,
    most: int,
    quiet: bool = False,
) -> Slice:
    """The next of those that a delivery reached, of batches behind `after`: about `most`, whole batches.

    Batches never change their recipients' order, and a later one has a higher id: what was deferred
    stands in one batch only, so nobody comes twice.
    """
    rows = (
        await connection.execute(_batches(delivery_id, after).order_by(batch.c.id).limit(max(1, most // 100)))
    ).all()
    taken, number = 0, 0
    for row in rows:
        if taken and number + row.size > most:
            break
        taken, number = taken + 1, number + row.size
    chosen = rows[:taken]
    ids = await _ids(connection, chosen, kind)
    people = await _registered(connection, account, ids, quiet)
    return Slice(
        people,
        up_to=chosen[-1].id if chosen else after,
        more=taken < len(rows) or len(rows) == max(1, most // 100),
        in_flight=any(row.state == BatchState.CLAIMED for row in chosen),
    )


async def count_reached(
    connection: AsyncConnection, delivery_id: int, account: str, *, kind: str, after: int = 0
) -> int:
    """How many of those that a delivery reached are still registered."""
    number, more = 0, True
    while more:
        found = await next_reached(connection, delivery_id, account, kind=kind, after=after, most=20_000)
        number, after, more = number + len(found.people), found.up_to, found.more
    return number


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether the one recipient of a post has got it, may have got it or was about to."""

    meant: bool
    in_flight: bool


async def reach_of_post(connection: AsyncConnection, delivery_id: int, *, kind: str) -> Reach:
    """Of a delivery of an account that posts."""
    rows = (await connection.execute(_batches(delivery_id, 0))).all()
    in_flight = any(row.state == BatchState.CLAIMED for row in rows)
    return Reach(bool(await _ids(connection, rows, kind)), in_flight)


def _batches(delivery_id: int, after: int) -> Select[Any]:
    return select(
        batch.c.id,
        batch.c.state,
        batch.c.recipients,
        batch.c.size,
        batch.c.position,
        batch.c.unknown,
        batch.c.reason,
    ).where(batch.c.delivery_id == delivery_id, batch.c.id > after)


async def _ids(connection: AsyncConnection, rows: Sequence[Row[Any]], kind: str) -> list[int]:
    refused = await _refused(connection, [row.id for row in rows], kind)
    return sorted(
        subscriber_id
        for row in rows
        for subscriber_id in _perhaps_reached(row, kind)
        if (row.id, subscriber_id) not in refused
    )


def _perhaps_reached(row: Row[Any], kind: str) -> Iterator[int]:
    """Those of a batch, single refusals aside: its settled part, and the rest unless that was refused as a whole."""
    recipients = unpack(row.recipients)
    if row.state == BatchState.SETTLED and not row.unknown and not _counts(row.reason, kind):
        recipients = recipients[: row.position]
    yield from recipients


async def _refused(connection: AsyncConnection, batch_ids: list[int], kind: str) -> set[tuple[int, int]]:
    if not batch_ids:
        return set()
    rows = await connection.execute(
        select(refusal.c.batch_id, refusal.c.subscriber_id, refusal.c.reason).where(
            refusal.c.batch_id.in_(batch_ids)
        )
    )
    return {(row.batch_id, row.subscriber_id) for row in rows if not _counts(row.reason, kind)}


def _counts(reason: str, kind: str) -> bool:
    return kind == NoticeKind.CORRECTION and reason in NOT_SENT_YET


async def _registered(
    connection: AsyncConnection, account: str, ids: list[int], quiet: bool
) -> list[tuple[int, str, str]]:
    """Those who have not left or been erased since, with the language that they read now."""
    if not ids:
        return []
    dialect = connection.dialect.name
    statement = (
        select(*reader_columns(quiet))
        .where(
            among(dialect, subscriber.c.id, "ids"),
            subscriber.c.account == account,
            subscriber.c.state == SubscriberState.ACTIVE,
        )
        .order_by(subscriber.c.id)
    )
    values = {"ids": as_list(dialect, ids)}
    return readers(await connection.run_sync(all_rows, as_one_row(dialect, statement), values), quiet)


def reader_columns(quiet: bool, *, by_pace: bool = False) -> list[ColumnElement[Any]]:
    """What `readers` reads; the quiet hours where they count, or a large list would carry them for nothing.

    `by_pace`: of those who chose 朝のまとめ the pace stands in their place.
    """
    columns: list[ColumnElement[Any]] = [subscriber.c.id, subscriber.c.language]
    if not quiet:
        return columns
    hours = case((subscriber.c.pace == Pace.MORNING, Pace.MORNING), else_=subscriber.c.quiet_hours)
    return [*columns, hours.label("quiet_hours") if by_pace else subscriber.c.quiet_hours]


def readers(rows: list[tuple[Any, ...]], quiet: bool) -> list[tuple[int, str, str]]:
    """Of rows of `reader_columns`."""
    return cast(list[tuple[int, str, str]], rows if quiet else [(*row, NONE) for row in rows])
