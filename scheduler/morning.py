"""The round of 朝のまとめ: what is due is made ready to be sent, and what was carried is written down."""

from __future__ import annotations

from functools import partial

import structlog

from content.ledger import morning
from scheduler.town_context import TownContext

log = structlog.get_logger(__name__)


async def look(context: TownContext) -> None:
    """Asked of the database each time, so a missed look only delays."""
    handed = 0
    for account in context.town.accounts:
        size = context.channel_of(account).batch_size
        now = context.database.now()
        async with context.database.read() as connection:
            if not await connection.run_sync(partial(morning.anything_to_do, account=account.key, now=now)):
                continue
        async with context.database.write(wake="batches") as connection:
            handed += await connection.run_sync(
                partial(morning.hand_over, account=account.key, batch_size=size, now=now)
            )
            await connection.run_sync(partial(morning.settle_carried, account=account.key, now=now))
    if handed:
        log.info("morning_digest", batches=handed)
