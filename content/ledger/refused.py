"""Who was refused, or may not have got it, and why: the registrations behind the figures, page by page.

They are the rows of `tallies.refusal_reasons` one by one, as long as the recipients are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.ledger.deferring import DEFERRED
from content.ledger.deliveries import batch, delivery, refusal
from content.ledger.recipients import unpack
from content.ledger.states import BatchState, Outcome

# Batches that are read at once.
TOGETHER = 50
# A registration, what became of it, why and when.
_One = tuple[int, Outcome, str, int]


@dataclass(frozen=True, slots=True)
class Refused:
    """One registration whom a notice did not reach, or perhaps not. `at`: when that was written down."""

    batch_id: int
    subscriber_id: int
    account: str
    channel: str
    outcome: Outcome
    reason: str
    at: int

    @property
    def place(self) -> tuple[int, int]:
        """Where the next page goes on."""
        return self.batch_id, self.subscriber_id


async def next_refused(
    connection: AsyncConnection,
    notice_id: int,
    *,
    channel: str = "",
    reason: str = "",
    after: tuple[int, int] = (0, 0),
    most: int,
) -> list[Refused]:
    """Up to `most` of a notice behind a place, of one channel and for one reason where these are given."""
    found: list[Refused] = []
    from_batch = after[0]
    while len(found) < most:
        rows = (await connection.execute(_batches(notice_id, channel, reason, from_batch))).all()
        singles = await _singles(connection, [row.id for row in rows], reason)
        for row in rows:
            here = sorted([*singles.get(row.id, ()), *_whole(row, reason)])
            found += (
                Refused(row.id, subscriber_id, row.account, row.channel, *what)
                for subscriber_id, *what in here
                if (row.id, subscriber_id) > after
            )
        if len(rows) < TOGETHER:
            break
        from_batch = rows[-1].id + 1
    return found[:most]


def _batches(notice_id: int, channel: str, reason: str, from_batch: int) -> Select[Any]:
    single = exists().where(refusal.c.batch_id == batch.c.id, _is(refusal.c.reason, reason))
    whole = and_(batch.c.state == BatchState.SETTLED, _is(batch.c.reason, reason))
    return (
        select(batch, delivery.c.channel)
        .join(delivery, delivery.c.id == batch.c.delivery_id)
        .where(
            delivery.c.notice_id == notice_id,
            *([delivery.c.channel == channel] if channel else ()),
            batch.c.id >= from_batch,
            or_(single, whole),
        )
        .order_by(batch.c.id)
        .limit(TOGETHER)
    )


async def _singles(connection: AsyncConnection, batch_ids: list[int], reason: str) -> dict[int, list[_One]]:
    found: dict[int, list[_One]] = {}
    rows = await connection.execute(
        select(refusal).where(refusal.c.batch_id.in_(batch_ids), _is(refusal.c.reason, reason))
    )
    for row in rows:
        found.setdefault(row.batch_id, []).append((row.subscriber_id, Outcome.REFUSED, row.reason, row.at))
    return found


def _whole(row: Row[Any], reason: str) -> Iterator[_One]:
    """The rest of a batch that was closed as one."""
    if row.state == BatchState.SETTLED and row.reason and reason in ("", row.reason):
        outcome = Outcome.UNKNOWN if row.unknown else Outcome.REFUSED
        for subscriber_id in unpack(row.recipients)[row.position :]:
            yield subscriber_id, outcome, row.reason, row.settled_at


def _is(column: Any, reason: str) -> Any:
    return column == reason if reason else column.not_in(["", DEFERRED])
