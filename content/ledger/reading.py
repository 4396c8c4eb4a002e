"""How each recipient of a notice stands: has read it, got it, or not; by the numbers of the registrations.

For notices to groups, of which somebody goes through a list on paper and calls those who are left. Known as
long as the ledger keeps the recipients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.ledger.deferring import DEFERRED
from content.ledger.deliveries import batch, delivery, refusal
from content.ledger.read_receipts import read_at
from content.ledger.recipients import unpack
from content.ledger.states import BatchState

# Nobody goes through a longer list by hand.
MOST = 5_000


class Standing(StrEnum):
    """The best that is known of one recipient. `sent`: accepted by the service outside, and not said to be read."""

    READ = "read"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Reader:
    """One recipient. `reason` why it was refused or is unknown, `read_at` when it said to have read."""

    subscriber_id: int
    channel: str
    standing: Standing
    reason: str = ""
    read_at: int | None = None


async def readers(connection: AsyncConnection, notice_id: int) -> list[Reader] | None:
    """Every recipient by number; None when they are more than MOST."""
    planned = await connection.scalar(
        select(func.coalesce(func.sum(delivery.c.planned), 0)).where(delivery.c.notice_id == notice_id)
    )
    if int(planned or 0) > MOST:
        return None
    rows = (
        await connection.execute(
            select(batch, delivery.c.channel)
            .join(delivery, delivery.c.id == batch.c.delivery_id)
            .where(delivery.c.notice_id == notice_id)
            .order_by(batch.c.id)
        )
    ).all()
    refused = {
        (row.batch_id, row.subscriber_id): row.reason
        for row in await connection.execute(
            select(refusal).where(refusal.c.batch_id.in_([row.id for row in rows]))
        )
    }
    read = await read_at(connection, sorted({row.delivery_id for row in rows}))
    found = [
        _reader(row, subscriber_id, standing, reason, read)
        for row in rows
        for subscriber_id, standing, reason in _standings(row, refused)
    ]
    return sorted(found, key=lambda item: item.subscriber_id)


def _standings(row: Row[Any], refused: dict[tuple[int, int], str]) -> Iterator[tuple[int, Standing, str]]:
    for place, subscriber_id in enumerate(unpack(row.recipients)):
        single = refused.get((row.id, subscriber_id), "")
        if single == DEFERRED:
            # Stands in a batch of its own.
            continue
        if single:
            yield subscriber_id, Standing.REFUSED, single
        elif place < row.position:
            yield subscriber_id, Standing.SENT, ""
        elif row.state != BatchState.SETTLED:
            yield subscriber_id, Standing.OPEN, row.reason
        else:
            yield subscriber_id, Standing.UNKNOWN if row.unknown else Standing.REFUSED, row.reason


def _reader(
    row: Row[Any], subscriber_id: int, standing: Standing, reason: str, read: dict[tuple[int, int], int]
) -> Reader:
    at = read.get((row.delivery_id, subscriber_id))
    if at is not None:
        return Reader(subscriber_id, row.channel, Standing.READ, read_at=at)
    return Reader(subscriber_id, row.channel, standing, reason)
