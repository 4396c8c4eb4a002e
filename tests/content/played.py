"""Steps that a sender takes against the ledger, and the figures that they leave."""

from factories import APRIL_TUESDAY

from content import ledger
from content.clock import MINUTE
from content.ledger import Refused
from content.tallies import tally

LEASE = 5 * MINUTE
NOW = APRIL_TUESDAY


async def claim(connection, now=NOW, *, account="line", lane="routine", owner="one"):
    return await ledger.claim(connection, account=account, lane=lane, owner=owner, now=now, lease=LEASE)


async def record(connection, claimed, position, accepted, refused=(), now=NOW):
    return await ledger.record_part(
        connection, claimed, position=position, accepted=accepted, refused=refused, now=now, lease=LEASE
    )


def refuse(recipients, reason="no_such_user"):
    return [Refused(recipient, reason) for recipient in recipients]


async def figures(connection, notice_id):
    """(planned, accepted, refused, unknown, open) of the only delivery."""
    (row,) = await tally(connection, notice_id)
    assert row.planned == row.accepted + row.refused + row.unknown + row.open
    return row.planned, row.accepted, row.refused, row.unknown, row.open
