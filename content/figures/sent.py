"""What was sent in a fiscal year, from the ledger's rows or from what they were summarised as: live notices alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import start_of_day
from content.ledger.deliveries import batch, delivery
from content.ledger.retention import delivery_summary
from content.notices.notices import notice, trigger
from content.notices.trials import trial
from content.town import Mode


@dataclass(frozen=True, slots=True)
class SentDelivery:
    """One notice on one account. Numbers are recipients, times ms; `last_accepted_at` None when nobody got it."""

    notice_id: int
    category: str
    kind: str
    urgency: str
    channel: str
    planned: int
    accepted: int
    refused: int
    unknown: int
    fired_at: int
    last_accepted_at: int | None

    @property
    def open(self) -> int:
        """Not settled yet, or stopped by a person."""
        return max(0, self.planned - self.accepted - self.refused - self.unknown)

    @property
    def seconds(self) -> float | None:
        """From the moment it went out to the last acceptance."""
        last = self.last_accepted_at
        return None if last is None else max(0, last - self.fired_at) / 1000


async def sent_in_year(connection: AsyncConnection, year: int) -> list[SentDelivery]:
    """Of every live notice that went out from April to March, each of its deliveries; no trials to staff."""
    summed = (
        select(
            batch.c.delivery_id,
            *(func.sum(batch.c[name]).label(name) for name in ("accepted", "refused", "unknown")),
            func.max(batch.c.last_accepted_at).label("last"),
        )
        .join(delivery, delivery.c.id == batch.c.delivery_id)
        .join(trigger, trigger.c.notice_id == delivery.c.notice_id)
        .where(*_within(year))
        .group_by(batch.c.delivery_id)
        .subquery()
    )
    # A delivery has batches or, once they are summarised, their totals: never both.
    rows = await connection.execute(
        select(
            notice.c.id,
            notice.c.category,
            notice.c.kind,
            notice.c.urgency,
            delivery.c.channel,
            delivery.c.planned,
            *(
                func.coalesce(summed.c[name], delivery_summary.c[name], 0)
                for name in ("accepted", "refused", "unknown")
            ),
            trigger.c.fired_at,
            func.coalesce(summed.c.last, delivery_summary.c.last_accepted_at),
        )
        .select_from(delivery)
        .join(notice, notice.c.id == delivery.c.notice_id)
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .outerjoin(summed, summed.c.delivery_id == delivery.c.id)
        .outerjoin(delivery_summary, delivery_summary.c.delivery_id == delivery.c.id)
        .where(*_within(year), notice.c.mode == Mode.LIVE, ~exists().where(trial.c.notice_id == notice.c.id))
        .order_by(delivery.c.id)
    )
    return [
        SentDelivery(
            notice_id=int(row[0]),
            category=row[1],
            kind=row[2],
            urgency=row[3],
            channel=row[4],
            planned=int(row[5]),
            accepted=int(row[6]),
            refused=int(row[7]),
            unknown=int(row[8]),
            fired_at=int(row[9]),
            last_accepted_at=None if row[10] is None else int(row[10]),
        )
        for row in rows
    ]


def _within(year: int) -> tuple[ColumnElement[bool], ...]:
    fired = trigger.c.fired_at
    return fired >= start_of_day(date(year, 4, 1)), fired < start_of_day(date(year + 1, 4, 1))
