"""朝のまとめ: those who chose it wait in batches that no sender claims, and in the morning each gets one message.

In one transaction the waiting batches of an account become others, by who waits for the same notices: one batch to
be sent, of the newest notice, which carries the others; and for each of those a batch with the same recipients, which
waits for what becomes of it. So every notice accounts for everybody who was meant, and nobody stands in two batches
that are sent. Who waits for one notice alone gets that notice as it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from content.database import only_one
from content.ledger.deferring import DEFERRED, RefusedRecipient, add_refusals
from content.ledger.deliveries import IS_OPEN, batch, delivery, refusal
from content.ledger.recipients import pack, unpack
from content.ledger.settling import settle
from content.ledger.states import MORNING, BatchKind, BatchState, Lane, Outcome
from content.ledger.stopping import BY_PERSON

# (language, the deliveries in their order)
Together = tuple[str, tuple[int, ...]]
EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Recipients of a delivery who wait for the morning."""

    delivery_id: int
    language: str
    recipients: tuple[int, ...]


def by_what_they_wait_for(waiting: Iterable[Waiting]) -> dict[Together, list[int]]:
    """Everybody once, ascending, with all that she waits for; in the language of the newest."""
    notices: dict[int, set[int]] = {}
    languages: dict[int, tuple[int, str]] = {}
    for item in waiting:
        for one in item.recipients:
            notices.setdefault(one, set()).add(item.delivery_id)
            languages[one] = max(languages.get(one, (0, "")), (item.delivery_id, item.language))
    together: dict[Together, list[int]] = {}
    for one in sorted(notices):
        together.setdefault((languages[one][1], tuple(sorted(notices[one]))), []).append(one)
    return together


def hand_over(connection: Connection, account: str, *, batch_size: int, now: int) -> int:
    """Make what is due on an account ready to be sent; the number of batches."""
    if not only_one(connection, f"morning digest {account}"):
        return 0
    rows = connection.execute(
        select(batch.c.id, batch.c.delivery_id, batch.c.language, batch.c.recipients, batch.c.not_before)
        .add_columns(delivery.c.send_until)
        .join(delivery, delivery.c.id == batch.c.delivery_id)
        .where(*_waits(account), batch.c.carried_by.is_(None), batch.c.not_before <= now)
        .order_by(batch.c.id)
        .with_for_update(of=batch)
    ).all()
    over = [row.id for row in rows if row.send_until is not None and row.send_until <= now]
    if over:
        connection.execute(settle(batch.c.id.in_(over), Outcome.REFUSED, EXPIRED, now=now))
    kept = [row for row in rows if row.id not in over]
    if not kept:
        return 0
    due = max(row.not_before for row in kept)
    waiting = [Waiting(row.delivery_id, row.language, tuple(unpack(row.recipients))) for row in kept]
    # Nobody has tried them, so nothing refers to them.
    connection.execute(delete(batch).where(batch.c.id.in_([row.id for row in kept])))
    writer = _Writer(connection, account, due, {row.delivery_id for row in kept})
    for (language, deliveries), ids in by_what_they_wait_for(waiting).items():
        for start in range(0, len(ids), batch_size):
            writer.write(language, deliveries, ids[start : start + batch_size])
    writer.count_batches()
    return writer.sent


def anything_to_do(connection: Connection, account: str, now: int) -> bool:
    """Whether there is something due, or carried: asked often, so cheap."""
    found = select(batch.c.id).where(*_waits(account), batch.c.not_before <= now).limit(1)
    return connection.scalar(found) is not None


def settle_carried(connection: Connection, account: str, *, now: int) -> int:
    """Write down of each notice that was carried what became of the message; the number of batches."""
    carried = connection.execute(
        select(batch.c.id, batch.c.carried_by, batch.c.recipients)
        .where(*_waits(account), batch.c.carried_by.is_not(None))
        .order_by(batch.c.id)
    ).all()
    fates: dict[int, _Fate | None] = {}
    settled = 0
    for row in carried:
        if row.carried_by not in fates:
            fates[row.carried_by] = _fate_of(connection, row.carried_by)
        fate = fates[row.carried_by]
        if fate is not None:
            _settle(connection, row, fate, now)
            settled += 1
    return settled


class _Writer:
    def __init__(self, connection: Connection, account: str, due: int, deliveries: Iterable[int]) -> None:
        self._connection, self._account, self._due = connection, account, due
        rows = connection.execute(
            select(delivery.c.id, delivery.c.batches).where(delivery.c.id.in_(list(deliveries)))
        )
        self._next: dict[int, int] = {row.id: row.batches for row in rows}
        self.sent = 0

    def write(self, language: str, deliveries: Sequence[int], ids: Sequence[int]) -> None:
        *others, newest = deliveries
        carrying = self._insert(newest, language, ids, lane=Lane.DIGEST, carries=",".join(map(str, others)))
        for other in others:
            self._insert(other, language, ids, lane=MORNING, carried_by=carrying)
        self.sent += 1

    def count_batches(self) -> None:
        for delivery_id, number in self._next.items():
            self._connection.execute(
                update(delivery).where(delivery.c.id == delivery_id).values(batches=number)
            )

    def _insert(self, delivery_id: int, language: str, ids: Sequence[int], **values: Any) -> int:
        seq = self._next[delivery_id]
        self._next[delivery_id] = seq + 1
        new_id = self._connection.scalar(
            insert(batch)
            .values(
                delivery_id=delivery_id,
                seq=seq,
                account=self._account,
                kind=BatchKind.LIST,
                language=language,
                state=BatchState.READY,
                recipients=pack(ids),
                size=len(ids),
                retry_key=str(uuid.uuid4()),
                not_before=0,
                # Its time begins in the morning, not when the notice was written.
                created_at=self._due,
                **values,
            )
            .returning(batch.c.id)
        )
        assert new_id is not None
        return int(new_id)


@dataclass(frozen=True, slots=True)
class _Fate:
    """What became of a message that carried others. `stopped`: a person stopped its own notice, and nobody got it."""

    refused: Mapping[int, tuple[str, str]]
    unknown: frozenset[int]
    reason: str
    stopped: bool


def _fate_of(connection: Connection, batch_id: int) -> _Fate | None:
    """None while a part of it is still open."""
    family = list(_family(connection, batch_id))
    if any(row.state != BatchState.SETTLED for row in family):
        return None
    refused: dict[int, tuple[str, str]] = {}
    unknown: set[int] = set()
    for row in connection.execute(
        select(refusal).where(
            refusal.c.batch_id.in_([one.id for one in family]), refusal.c.reason != DEFERRED
        )
    ):
        refused[row.subscriber_id] = (row.reason, row.detail)
    for row in family:
        rest = unpack(row.recipients)[row.position :] if row.reason else []
        if row.unknown:
            unknown.update(rest)
        else:
            refused.update((one, (row.reason, "")) for one in rest)
    reasons = [row.reason for row in family if row.unknown]
    accepted = sum(row.accepted for row in family)
    stopped = not accepted and not unknown and all(row.reason in BY_PERSON for row in family)
    return _Fate(refused, frozenset(unknown), reasons[0] if reasons else "", stopped)


def _family(connection: Connection, batch_id: int) -> Iterator[Row[Any]]:
    """The batch and those of its recipients that were deferred."""
    wanted = [batch_id]
    while wanted:
        yield from connection.execute(select(batch).where(batch.c.id.in_(wanted)))
        wanted = list(connection.scalars(select(batch.c.id).where(batch.c.origin.in_(wanted))))


def _settle(connection: Connection, row: Any, fate: _Fate, now: int) -> None:
    if fate.stopped:
        # What carried it does not leave; this notice does, by itself.
        connection.execute(
            update(batch).where(batch.c.id == row.id).values(lane=Lane.DIGEST, carried_by=None)
        )
        return
    ids = unpack(row.recipients)
    refused = [RefusedRecipient(one, *fate.refused[one]) for one in ids if one in fate.refused]
    unknown = sum(one in fate.unknown for one in ids)
    accepted = len(ids) - len(refused) - unknown
    add_refusals(connection, row.id, refused, now)
    connection.execute(
        update(batch)
        .where(batch.c.id == row.id)
        .values(
            state=BatchState.SETTLED,
            position=len(ids),
            accepted=accepted,
            refused=len(refused),
            unknown=unknown,
            reason=fate.reason,
            first_accepted_at=now if accepted else None,
            last_accepted_at=now if accepted else None,
            settled_at=now,
        )
    )


def _waits(account: str) -> tuple[Any, ...]:
    return (batch.c.account == account, batch.c.lane == MORNING, IS_OPEN, batch.c.state == BatchState.READY)
