"""Letters with a link to who asked by mail address, on a small road of their own beside the ledger's lanes.

They go few at a time: however many strangers ask, notices have the machine and the mail server for themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from content.register import mail_requests
from content.register.mail_requests import MailRequest
from scheduler.town_context import TownContext

log = structlog.get_logger(__name__)

AT_ONCE = 4


async def send_letters(context: TownContext) -> int:
    """Those that are due; how many went out. One that did not is due again later."""
    send = context.send_letter
    if send is None:
        return 0
    database = context.database
    letters = await mail_requests.claim_letters(database, context.keys, at=database.now(), most=AT_ONCE)
    return sum(await asyncio.gather(*(_send(context, send, letter) for letter in letters)))


async def _send(
    context: TownContext, send: Callable[[MailRequest], Awaitable[None]], letter: MailRequest
) -> bool:
    if letter.is_open(context.database.now()):
        try:
            await send(letter)
        except Exception as error:
            log.warning("letter_not_sent", request=letter.id, error=type(error).__name__)
            return False
    async with context.database.write() as connection:
        await mail_requests.letter_sent(connection, letter.id)
    return True
