"""What the register learns from a refusal: a receiver that is gone, a mailbox that a server says it does not have."""

from __future__ import annotations

from collections.abc import Sequence

from channels.reasons import Reason
from content.ledger import deliveries
from content.ledger.deferring import RefusedRecipient
from content.register import subscriber_changes, suppressing
from content.register.states import BounceKind
from scheduler.town_context import TownContext


async def heed(context: TownContext, delivery_id: int, refused: Sequence[RefusedRecipient]) -> None:
    """Beside the ledger's record, and after it: a registration ends, or a failed mail counts against its address."""
    gone = [item.subscriber_id for item in refused if item.reason == Reason.GONE]
    unknown = [item for item in refused if item.reason == Reason.MAILBOX_UNKNOWN]
    if not gone and not unknown:
        return
    now = context.database.now()
    async with context.database.write() as connection:
        for subscriber_id in gone:
            # The service outside says that nobody is there any more, and asks not to be sent to again.
            await subscriber_changes.leave(connection, subscriber_id, reason=Reason.GONE, at=now)
        if unknown:
            version_id = (await connection.run_sync(deliveries.get_delivery, delivery_id)).version_id
            for item in unknown:
                # Whether it is a carrier's, which says so of a reader's filter too, cannot be seen here.
                await suppressing.note_bounce(
                    connection, item.subscriber_id, version_id, BounceKind.UNCLEAR, status=item.detail, at=now
                )
