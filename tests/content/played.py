"""Steps that a sender takes against the ledger, and the figures that they leave."""

from sqlalchemy import select

from content.clock import MINUTE
from content.ledger import batches
from content.ledger.deferring import Later, RefusedRecipient
from content.ledger.deliveries import batch
from content.ledger.tallies import tally
from tests.factories import APRIL_TUESDAY

LEASE = 5 * MINUTE
NOW = APRIL_TUESDAY


async def claim(connection, now=NOW, *, account="line", lane="routine", owner="one"):
    claimed = await connection.run_sync(
        batches.claim, account=account, lane=lane, owner=owner, now=now, lease=LEASE
    )
    return claimed[0] if claimed else None


async def record(connection, claimed, position, accepted, refused=(), now=NOW, later=None):
    since = await connection.scalar(select(batch.c.position).where(batch.c.id == claimed.id))
    return await connection.run_sync(
        batches.record_part,
        claimed,
        since=since,
        position=position,
        accepted=accepted,
        refused=refused,
        later=later,
        now=now,
        lease=LEASE,
    )


def deferred(recipients, not_before=NOW):
    return Later(tuple(recipients), "greylisted", not_before)


def refuse(recipients, reason="no_such_user"):
    return [RefusedRecipient(recipient, reason) for recipient in recipients]


async def figures(connection, notice_id):
    """(planned, accepted, refused, unknown, open) of the only delivery."""
    (row,) = await tally(connection, notice_id)
    assert row.planned == row.accepted + row.refused + row.unknown + row.open
    return row.planned, row.accepted, row.refused, row.unknown, row.open
