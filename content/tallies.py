"""What became of a notice, read from the ledger's rows: never from a counter of its own.

`accepted` is what the service outside took (受付), not what reached a phone. `open` is what is
still to be settled; a notice is finished only when nothing is open and nothing is being planned.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.ledger import batch, delivery, refusal
from content.notices import Notice


@dataclass(frozen=True, slots=True)
class Tally:
    """Figures of one delivery. `reason` says why it stopped or what it waits for. Times in ms since the epoch."""

    account: str
    channel: str
    state: str
    reason: str
    planned: int
    accepted: int
    refused: int
    unknown: int
    open: int
    first_accepted_at: int | None
    last_accepted_at: int | None


async def tally(connection: AsyncConnection, notice_id: int) -> list[Tally]:
    """One row per delivery of the notice, in the order of the channels."""
    # What a stopped delivery stopped for, else what its open batches are waiting for.
    waiting_for = func.max(case((batch.c.state != "settled", batch.c.reason), else_=""))
    settled_or_part = func.coalesce(func.sum(batch.c.accepted + batch.c.refused + batch.c.unknown), 0)
    rows = await connection.execute(
        select(
            delivery.c.account,
            delivery.c.channel,
            delivery.c.state,
            case((delivery.c.reason != "", delivery.c.reason), else_=func.coalesce(waiting_for, "")),
            delivery.c.planned,
            func.coalesce(func.sum(batch.c.accepted), 0),
            func.coalesce(func.sum(batch.c.refused), 0),
            func.coalesce(func.sum(batch.c.unknown), 0),
            func.coalesce(func.sum(batch.c.size), 0) - settled_or_part,
            func.min(batch.c.first_accepted_at),
            func.max(batch.c.last_accepted_at),
        )
        .select_from(delivery)
        .outerjoin(batch, batch.c.delivery_id == delivery.c.id)
        .where(delivery.c.notice_id == notice_id)
        .group_by(
            delivery.c.id,
            delivery.c.account,
            delivery.c.channel,
            delivery.c.state,
            delivery.c.reason,
            delivery.c.planned,
        )
        .order_by(delivery.c.id)
    )
    return [
        Tally(
            account=row[0],
            channel=row[1],
            state=row[2],
            reason=row[3],
            planned=int(row[4]),
            accepted=int(row[5]),
            refused=int(row[6]),
            unknown=int(row[7]),
            open=int(row[8]),
            first_accepted_at=row[9],
            last_accepted_at=row[10],
        )
        for row in rows
    ]


def progress_state(item: Notice, tallies: list[Tally]) -> str:
    """draft, cancelled, held, scheduled, planning, sending, finished, partly or nobody.

    `partly`: finished, but not everyone accepted. `nobody`: the target matched no registration.
    """
    if item.state != "approved":
        return item.state
    if item.trigger_state != "fired":
        return {"waiting": "scheduled", "held": "held"}.get(item.trigger_state, item.trigger_state)
    if any(row.state == "planning" for row in tallies):
        return "planning"
    if sum(row.open for row in tallies):
        return "sending"
    if any(row.state == "stopped" for row in tallies):
        return "partly"
    if not sum(row.planned for row in tallies):
        return "nobody"
    if sum(row.accepted for row in tallies) < sum(row.planned for row in tallies):
        return "partly"
    return "finished"


async def refusal_reasons(connection: AsyncConnection, notice_id: int) -> list[tuple[str, str, int]]:
    """(channel, reason, number) of everything that was refused or stayed unknown, most first."""
    single = (
        select(delivery.c.channel, refusal.c.reason.label("reason"), literal(1).label("number"))
        .select_from(refusal)
        .join(batch, batch.c.id == refusal.c.batch_id)
        .join(delivery, delivery.c.id == batch.c.delivery_id)
        .where(delivery.c.notice_id == notice_id)
    )
    singles = select(func.count()).where(refusal.c.batch_id == batch.c.id).correlate(batch).scalar_subquery()
    whole = (
        select(
            delivery.c.channel,
            batch.c.reason.label("reason"),
            (case((batch.c.unknown > 0, batch.c.unknown), else_=batch.c.refused - singles)).label("number"),
        )
        .select_from(batch)
        .join(delivery, delivery.c.id == batch.c.delivery_id)
        .where(delivery.c.notice_id == notice_id, batch.c.state == "settled", batch.c.reason != "")
    )
    both = single.union_all(whole).subquery()
    total = func.sum(both.c.number)
    rows = await connection.execute(
        select(both.c.channel, both.c.reason, total)
        .group_by(both.c.channel, both.c.reason)
        .having(total > 0)
        .order_by(total.desc())
    )
    return [(channel, reason, int(number)) for channel, reason, number in rows]


async def nothing_open(connection: AsyncConnection) -> bool:
    """True when no batch of any notice is waiting or in hand."""
    found = await connection.scalar(
        select(batch.c.id).where(batch.c.state.in_(("ready", "claimed", "unknown"))).limit(1)
    )
    return found is None
