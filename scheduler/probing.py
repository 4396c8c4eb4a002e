"""Whether accounts that nobody sends through would still send: asked each hour, so that nobody hears of it at 3 a.m.

An account that refuses our credentials has an outage from then on, as if it had refused a notice; the next probe
that it passes ends it. One that cannot be reached is an alarm of this process.
"""

from __future__ import annotations

import asyncio

import structlog

from channels.channel import AccountStopped, ChannelError, ProbedSession
from content.clock import HOUR, MINUTE
from content.ledger import account_outages
from content.town import Account
from scheduler.town_context import TownContext

log = structlog.get_logger(__name__)

EVERY = HOUR
# After a probe that failed, so that what was mended is known soon.
AGAIN = MINUTE
# Seconds.
ANSWER_WITHIN = 20.0


class AccountProbes:
    """The probes of one process: it remembers whom it asked when."""

    def __init__(self) -> None:
        self._due: dict[str, int] = {}

    async def look(self, context: TownContext) -> None:
        """Probe the accounts that are due, one after the other."""
        async with context.database.read() as connection:
            stopped = await account_outages.stopped_accounts(connection)
        for account in context.town.accounts:
            now = context.database.now()
            if account.key in stopped or now >= self._due.get(account.key, 0):
                fine = await _probe(context, account, was_stopped=account.key in stopped)
                self._due[account.key] = now + (EVERY if fine else AGAIN)


async def _probe(context: TownContext, account: Account, *, was_stopped: bool) -> bool:
    session = context.channel_of(account).open()
    try:
        if not isinstance(session, ProbedSession):
            return True
        async with asyncio.timeout(ANSWER_WITHIN):
            ahead = await session.probe()
    except AccountStopped as error:
        await _stop(context, account.key, error.reason)
        context.this_process.reached(account.key)
        return False
    except (ChannelError, TimeoutError, OSError) as error:
        reason = error.reason if isinstance(error, ChannelError) else type(error).__name__
        log.warning("account_not_reached", account=account.key, reason=reason)
        context.this_process.did_not_reach(account.key)
        return False
    finally:
        await session.close()
    context.this_process.reached(account.key)
    context.this_process.hear_clock(account.key, ahead)
    if was_stopped:
        await _go_on(context, account.key)
    return True


async def _stop(context: TownContext, account: str, reason: str) -> None:
    now = context.database.now()
    await context.database.write_step(
        lambda connection: account_outages.begin(connection, account, reason=reason, now=now)
    )
    log.warning("account_stopped", account=account, reason=reason)


async def _go_on(context: TownContext, account: str) -> None:
    await context.database.write_step(
        lambda connection: account_outages.end(connection, account), wake="batches"
    )
    log.info("account_goes_on", account=account)
