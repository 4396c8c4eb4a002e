"""Refused for a while, tried again: recipients of ended batches get a batch of their own, with a new retry key.

Only who was certainly not accepted: what is unknown stays so. The old batch keeps the others, and those who
move stand in it as deferred, so that no figure counts them twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, or_, select, update

from content.ledger.deferring import DEFERRED
from content.ledger.deliveries import batch, delivery, refusal
from content.ledger.recipients import pack, unpack
from content.ledger.states import BatchState, DeliveryState
from content.ledger.stopping import BY_PERSON

# Batches of one transaction.
TOGETHER = 40


def count(connection: Connection, delivery_id: int, reasons: Collection[str]) -> int:
    """How many of a delivery were refused for one of these reasons."""
    singles = (
        select(func.count())
        .select_from(refusal)
        .where(refusal.c.batch_id == batch.c.id, refusal.c.reason.in_(reasons))
        .correlate(batch)
        .scalar_subquery()
    )
    all_singles = (
        select(func.count())
        .select_from(refusal)
        .where(refusal.c.batch_id == batch.c.id, refusal.c.reason != DEFERRED)
        .correlate(batch)
        .scalar_subquery()
    )
    ended = and_(batch.c.delivery_id == delivery_id, batch.c.state == BatchState.SETTLED)
    found = connection.scalar(select(func.sum(singles)).where(ended)) or 0
    whole = connection.scalar(
        select(func.sum(batch.c.refused - all_singles)).where(ended, _is_whole(reasons))
    )
    return int(found) + int(whole or 0)


def move_some(connection: Connection, delivery_id: int, reasons: Collection[str], now: int) -> int:
    """Give a new batch to the refused of some batches; how many recipients, 0 when none is left."""
    locked = connection.execute(
        select(delivery.c.batches, delivery.c.state, delivery.c.reason)
        .where(delivery.c.id == delivery_id)
        .with_for_update()
    ).one()
    if locked.state == DeliveryState.PLANNING or locked.reason in BY_PERSON:
        return 0
    single = exists().where(refusal.c.batch_id == batch.c.id, refusal.c.reason.in_(reasons))
    rows = connection.execute(
        select(batch)
        .where(
            batch.c.delivery_id == delivery_id,
            batch.c.state == BatchState.SETTLED,
            or_(single, _is_whole(reasons)),
        )
        .order_by(batch.c.id)
        .limit(TOGETHER)
    ).all()
    moved, number = 0, locked.batches
    for row in rows:
        recipients = unpack(row.recipients)
        rest = recipients[row.position :] if row.reason in reasons and not row.unknown else []
        kept = recipients[: row.position] if rest else recipients
        ones = _defer_singles(connection, row.id, reasons)
        if not rest and not ones:
            continue
        connection.execute(
            update(batch)
            .where(batch.c.id == row.id)
            .values(
                recipients=pack(kept),
                size=batch.c.size - len(rest) - len(ones),
                refused=batch.c.refused - len(rest) - len(ones),
                reason="" if rest else row.reason,
            )
        )
        ids = sorted([*rest, *ones])
        connection.execute(
            insert(batch).values(
                delivery_id=delivery_id,
                seq=number,
                origin=row.id,
                account=row.account,
                lane=row.lane,
                kind=row.kind,
                language=row.language,
                state=BatchState.READY,
                recipients=pack(ids),
                size=len(ids),
                retry_key=str(uuid.uuid4()),
                not_before=0,
                # A person decided now, so its time begins anew.
                created_at=now,
            )
        )
        moved, number = moved + len(ids), number + 1
    if rows:
        connection.execute(
            update(delivery)
            .where(delivery.c.id == delivery_id)
            .values(
                batches=number,
                state=DeliveryState.PLANNED,
                reason="",
                planned_at=func.coalesce(delivery.c.planned_at, now),
            )
        )
    return moved


def _is_whole(reasons: Collection[str]) -> ColumnElement[bool]:
    """Whose rest was refused as one."""
    return and_(batch.c.reason.in_(reasons), batch.c.unknown == 0, batch.c.refused > 0)


def _defer_singles(connection: Connection, batch_id: int, reasons: Collection[str]) -> list[int]:
    rows = connection.scalars(
        update(refusal)
        .where(refusal.c.batch_id == batch_id, refusal.c.reason.in_(reasons))
        .values(reason=DEFERRED, detail=refusal.c.reason)
        .returning(refusal.c.subscriber_id)
    )
    return [int(row) for row in rows]
