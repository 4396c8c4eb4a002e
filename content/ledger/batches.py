"""The moves of a batch: claimed under a lease, recorded part by part, settled or requeued.

Plain functions of a connection, for `Database.write_step`: the sender makes thousands of these moves
a minute, and whole transactions of them share one wait for the disk. Every move but the claim checks
the fence; False means that the lease went to somebody else and nothing was written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    select,
    update,
)

from content.database.identity import NOT_HELD
from content.ledger.deferring import Later, RefusedRecipient, add_refusals, defer
from content.ledger.deliveries import IS_OPEN, batch
from content.ledger.posts import Post
from content.ledger.posts import record as record_posts
from content.ledger.recipients import unpack
from content.ledger.settling import settle
from content.ledger.states import BatchState, Outcome
from content.ledger.stopping import reason_to_close


def _bound(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger)


# Built once: a mail batch is recorded part by part, and to compose this statement costs more than to run it.
_SOME_ACCEPTED = _bound("more") > 0
_DONE = _bound("done") == 1
_RECORD_PART = (
    update(batch)
    .where(
        batch.c.id == _bound("this"),
        batch.c.fence == _bound("fenced"),
        batch.c.state == BatchState.CLAIMED,
        batch.c.position == _bound("since"),
    )
    .values(
        position=_bound("upto"),
        accepted=batch.c.accepted + _bound("more"),
        refused=batch.c.refused + _bound("less"),
        size=batch.c.size - _bound("moved"),
        lease_until=_bound("until"),
        maybe_sent=False,
        # What made progress does not wait like one that fails again and again.
        attempt=case((_bound("moved_on") == 1, 1), else_=batch.c.attempt),
        first_accepted_at=case(
            (_SOME_ACCEPTED, func.coalesce(batch.c.first_accepted_at, _bound("now"))),
            else_=batch.c.first_accepted_at,
        ),
        last_accepted_at=case((_SOME_ACCEPTED, _bound("now")), else_=batch.c.last_accepted_at),
        state=case((_DONE, BatchState.SETTLED), else_=BatchState.CLAIMED),
        settled_at=case((_DONE, _bound("now")), else_=None),
        reason=case((_DONE, ""), else_=batch.c.reason),
    )
)


@dataclass(frozen=True, slots=True)
class Batch:
    """A claimed batch. `position` recipients of the frozen list are done already."""

    id: int
    delivery_id: int
    account: str
    lane: str
    kind: str
    language: str
    recipients: tuple[int, ...]
    retry_key: str
    attempt: int
    fence: int
    position: int
    maybe_sent: bool
    created_at: int
    carries: str = ""


def claim(
    connection: Connection, *, account: str, lane: str, owner: str, now: int, lease: int, most: int = 1
) -> list[Batch]:
    """Take up to `most` of the oldest batches of a lane under a lease of `lease` ms.

    A retry never stands before a first attempt.
    """
    oldest: Select[Any] = (
        select(batch.c.id)
        .where(batch.c.account == account, batch.c.lane == lane, IS_OPEN, batch.c.not_before <= now, NOT_HELD)
        .order_by(batch.c.attempt, batch.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    # The row count of this update decides who has it, whoever else has read the same rows.
    rows = connection.execute(
        update(batch)
        .where(batch.c.id.in_(oldest), IS_OPEN)
        .values(
            state=BatchState.CLAIMED,
            lease_owner=owner,
            lease_until=now + lease,
            fence=batch.c.fence + 1,
            attempt=batch.c.attempt + 1,
        )
        .returning(*(batch.c[name] for name in Batch.__dataclass_fields__))
    ).all()
    return sorted((_claimed(row) for row in rows), key=lambda taken: (taken.attempt, taken.id))


def renew_one(connection: Connection, claimed: Batch, *, until: int) -> bool:
    """Lengthen the lease of one batch right before it goes out; False when somebody else has it by now."""
    return _update_owned(connection, claimed, {"lease_until": until})


def record_part(
    connection: Connection,
    claimed: Batch,
    *,
    since: int,
    position: int,
    accepted: int,
    refused: Sequence[RefusedRecipient] = (),
    later: Later | None = None,
    posted: Sequence[Post] = (),
    now: int,
    lease: int,
) -> bool:
    """Write down progress from position `since` and lengthen the lease; settles when the list is through.

    `posted`: what has changed at a service that shows posts, also without progress in the list.
    """
    done = position >= len(claimed.recipients)
    if later and (closed := reason_to_close(connection, claimed.delivery_id)):
        refused = (*refused, *(RefusedRecipient(one, closed) for one in later.subscriber_ids))
        later = None
    changed = connection.execute(
        _RECORD_PART,
        {
            "this": claimed.id,
            "fenced": claimed.fence,
            "since": since,
            "upto": position,
            "more": accepted,
            "less": len(refused),
            "moved": len(later.subscriber_ids) if later else 0,
            "until": now + lease,
            "now": now,
            "done": int(done),
            # Deferring alone is no progress: a server that takes nothing is not to be asked every second.
            "moved_on": int(not done and bool(accepted or refused or (later and later.apart))),
        },
    )
    if not changed.rowcount:
        return False
    add_refusals(connection, claimed.id, refused, now)
    record_posts(connection, posted, now)
    if later:
        defer(connection, claimed, later, now)
    return True


def attempts(connection: Connection, claimed: Batch) -> int:
    """How often it was tried since it last made progress."""
    return int(connection.scalar(select(batch.c.attempt).where(batch.c.id == claimed.id)) or 0)


def settle_rest(connection: Connection, claimed: Batch, *, outcome: Outcome, reason: str, now: int) -> bool:
    """Close a batch: what is not accounted for yet becomes `refused` or `unknown`, for one reason."""
    return bool(connection.execute(settle(_owned(claimed), outcome, reason, now=now)).rowcount)


def accept_all(connection: Connection, claimed: Batch, *, now: int) -> bool:
    """Settle a broadcast: the whole frozen list was accepted in one call."""
    size = len(claimed.recipients)
    return record_part(
        connection, claimed, since=claimed.position, position=size, accepted=size, now=now, lease=0
    )


def requeue(
    connection: Connection, claimed: Batch, *, state: str, reason: str, not_before: int, now: int
) -> bool:
    """`ready` when nothing of the rest went out, `unknown` when something may have. Same retry key.

    A batch of a delivery that a person has stopped is closed instead.
    """
    if closed := reason_to_close(connection, claimed.delivery_id):
        outcome = Outcome.UNKNOWN if state == BatchState.UNKNOWN else Outcome.REFUSED
        return settle_rest(connection, claimed, outcome=outcome, reason=closed, now=now)
    changes: dict[str, object] = {"state": state, "reason": reason, "not_before": not_before}
    if state == BatchState.UNKNOWN:
        changes["maybe_sent"] = True
    return _update_owned(connection, claimed, {**changes, "lease_owner": "", "lease_until": 0})


def _claimed(row: Row[Any]) -> Batch:
    values = row._asdict()
    values["recipients"] = tuple(unpack(values["recipients"]))
    return Batch(**values)


def _update_owned(connection: Connection, claimed: Batch, changes: dict[str, object]) -> bool:
    return bool(connection.execute(update(batch).where(_owned(claimed)).values(**changes)).rowcount)


def _owned(claimed: Batch) -> ColumnElement[bool]:
    return and_(batch.c.id == claimed.id, batch.c.fence == claimed.fence, batch.c.state == BatchState.CLAIMED)
