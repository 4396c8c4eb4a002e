"""What became of a notice, read from the ledger's rows or from what they were summarised as.

`accepted` is what the service outside took (受付), not what reached a phone. `open` is what is
still to be settled; a notice is finished only when nothing is open and nothing is being planned.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.ledger.deliveries import RESTS, batch, delivery
from content.ledger.read_receipts import READ_OF_DELIVERY
from content.ledger.retention import delivery_summary, delivery_summary_reason, reasons_in_batches
from content.ledger.settling import LEFT_OVER, UNSETTLED
from content.ledger.states import BatchState, DeliveryState
from content.ledger.stopping import CORRECTED, STOPPED
from content.ledger.suspensions import ACCOUNT_GONE
from content.notices.notices import Notice


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
    # Since when it waits for its account to come back into the town profile.
    suspended_at: int | None = None
    # Of the open ones those that wait for the end of their quiet hours, and when the first of these are over.
    resting: int = 0
    rest_until: int | None = None
    # Who have said to have read it, where the notice asks for it.
    read: int = 0


async def tally(connection: AsyncConnection, notice_id: int) -> list[Tally]:
    """One row per delivery of the notice, in the order of the channels."""
    # What a stopped delivery stopped for, else what its open batches are waiting for.
    waiting_for = func.max(case((batch.c.state != BatchState.SETTLED, batch.c.reason), else_=""))
    rows = await connection.execute(
        select(
            delivery.c.account,
            delivery.c.channel,
            delivery.c.state,
            case(
                (delivery.c.reason != "", delivery.c.reason),
                (delivery.c.suspended_at.is_not(None), ACCOUNT_GONE),
                else_=func.coalesce(waiting_for, ""),
            ),
            delivery.c.planned,
            _total(batch.c.accepted, delivery_summary.c.accepted),
            _total(batch.c.refused, delivery_summary.c.refused),
            _total(batch.c.unknown, delivery_summary.c.unknown),
            func.coalesce(func.sum(LEFT_OVER), 0),
            func.coalesce(func.min(batch.c.first_accepted_at), delivery_summary.c.first_accepted_at),
            func.coalesce(func.max(batch.c.last_accepted_at), delivery_summary.c.last_accepted_at),
            delivery.c.suspended_at,
            func.coalesce(func.sum(case((RESTS, LEFT_OVER), else_=0)), 0),
            func.min(case((RESTS, batch.c.not_before))),
            READ_OF_DELIVERY + func.coalesce(delivery_summary.c.read, 0),
        )
        .select_from(delivery)
        .outerjoin(batch, batch.c.delivery_id == delivery.c.id)
        .outerjoin(delivery_summary, delivery_summary.c.delivery_id == delivery.c.id)
        .where(delivery.c.notice_id == notice_id)
        .group_by(
            delivery.c.id,
            delivery.c.account,
            delivery.c.channel,
            delivery.c.state,
            delivery.c.reason,
            delivery.c.planned,
            *delivery_summary.columns,
            delivery.c.suspended_at,
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
            suspended_at=row[11],
            resting=int(row[12]),
            rest_until=row[13],
            read=int(row[14]),
        )
        for row in rows
    ]


def progress_state(item: Notice, tallies: list[Tally]) -> str:
    """draft, cancelled, held, scheduled, planning, sending, resting, stopped, finished, partly or nobody.

    A recurring notice itself never goes out: it is recurring until it has ended.
    `resting`: all that is open waits for the end of quiet hours. `stopped`: a person stopped it. `partly`: finished, but not everyone accepted. `nobody`: the target matched no registration.
    """
    if item.state != "approved":
        return item.state
    if item.trigger_state != "fired":
        waiting = "recurring" if item.spec.rule else "scheduled"
        return {"waiting": waiting, "finished": "ended"}.get(item.trigger_state, item.trigger_state)
    if any(row.state == DeliveryState.PLANNING for row in tallies):
        return "planning"
    if still_open := sum(row.open for row in tallies):
        return "resting" if still_open == sum(row.resting for row in tallies) else "sending"
    if any(row.state == DeliveryState.STOPPED and row.reason in (STOPPED, CORRECTED) for row in tallies):
        return "stopped"
    if any(row.state == DeliveryState.STOPPED for row in tallies):
        return "partly"
    if not sum(row.planned for row in tallies):
        return "nobody"
    if sum(row.accepted for row in tallies) < sum(row.planned for row in tallies):
        return "partly"
    return "finished"


async def refusal_reasons(connection: AsyncConnection, notice_id: int) -> list[tuple[str, str, int]]:
    """(channel, reason, number) of everything that was refused or stayed unknown, most first."""
    of_notice = delivery.c.notice_id == notice_id
    kept = reasons_in_batches(of_notice).subquery()
    summarised = (
        select(delivery_summary_reason)
        .join(delivery, delivery.c.id == delivery_summary_reason.c.delivery_id)
        .where(of_notice)
    )
    both = select(kept).union_all(summarised).subquery()
    total = func.sum(both.c.number)
    rows = await connection.execute(
        select(delivery.c.channel, both.c.reason, total)
        .join(delivery, delivery.c.id == both.c.delivery_id)
        .group_by(delivery.c.channel, both.c.reason)
        .having(total > 0)
        .order_by(total.desc(), delivery.c.channel, both.c.reason)
    )
    return [(channel, reason, int(number)) for channel, reason, number in rows]


async def nothing_open(connection: AsyncConnection) -> bool:
    """True when no batch of any notice is waiting or in flight."""
    found = await connection.scalar(select(batch.c.id).where(UNSETTLED).limit(1))
    return found is None


def _total(in_batches: Column[int], summarised: Column[int]) -> ColumnElement[int]:
    """A delivery has batches or, once they are summarised, their totals: never both."""
    return func.coalesce(func.sum(in_batches), summarised, 0)
