"""Recipients that leave a batch before it is through: refused, or deferred to a later batch of their own."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, case, insert, select, update

from content.ledger.deliveries import batch, delivery, refusal
from content.ledger.recipients import pack, unpack
from content.ledger.states import BatchState

if TYPE_CHECKING:
    from content.ledger.batches import Batch

DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class RefusedRecipient:
    """One row for the ledger's exceptions. `detail` never holds an address."""

    subscriber_id: int
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """Recipients of a part that nothing went to yet: they get a batch of their own, due at `not_before`.

    `apart`: none that other parts defer is added to it.
    """

    subscriber_ids: tuple[int, ...]
    reason: str
    not_before: int
    apart: bool = False


def add_refusals(
    connection: Connection, batch_id: int, refused: Iterable[RefusedRecipient], now: int
) -> None:
    rows = [
        {
            "batch_id": batch_id,
            "subscriber_id": item.subscriber_id,
            "reason": item.reason,
            "detail": item.detail,
            "at": now,
        }
        for item in refused
    ]
    if rows:
        connection.execute(insert(refusal), rows)


def defer(connection: Connection, claimed: Batch, later: Later, now: int) -> None:
    """Into the batch that waits for those deferred by `claimed`; into a new one when that has been taken.

    The new one goes behind first attempts, and is as old as the one that it comes from.
    """
    moved = [
        RefusedRecipient(subscriber_id, DEFERRED, later.reason) for subscriber_id in later.subscriber_ids
    ]
    add_refusals(connection, claimed.id, moved, now)
    waiting = connection.execute(
        select(batch.c.id, batch.c.recipients)
        .where(batch.c.origin == claimed.id, batch.c.state == BatchState.READY, batch.c.position == 0)
        .order_by(batch.c.id.desc())
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if waiting is not None and not later.apart:
        ids = [*unpack(waiting.recipients), *later.subscriber_ids]
        connection.execute(
            update(batch)
            .where(batch.c.id == waiting.id)
            .values(
                recipients=pack(sorted(ids)),
                size=len(ids),
                not_before=case(
                    (batch.c.not_before < later.not_before, later.not_before), else_=batch.c.not_before
                ),
            )
        )
        return
    number = connection.scalar(
        update(delivery)
        .where(delivery.c.id == claimed.delivery_id)
        .values(batches=delivery.c.batches + 1)
        .returning(delivery.c.batches)
    )
    assert number is not None
    connection.execute(
        insert(batch).values(
            delivery_id=claimed.delivery_id,
            seq=number - 1,
            origin=claimed.id,
            account=claimed.account,
            lane=claimed.lane,
            kind=claimed.kind,
            language=claimed.language,
            state=BatchState.READY,
            recipients=pack(sorted(later.subscriber_ids)),
            size=len(later.subscriber_ids),
            retry_key=str(uuid.uuid4()),
            attempt=1 if later.apart else claimed.attempt,
            not_before=later.not_before,
            reason=later.reason,
            carries=claimed.carries,
            created_at=claimed.created_at,
        )
    )
