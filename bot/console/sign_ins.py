"""Who tried to sign in at this process: kept while it serves, written into the trail as sums."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.app_keys import SERVICE
from content.clock import now_ms
from content.staff.sign_in import SignIns

log = structlog.get_logger(__name__)

SIGN_INS: web.AppKey[SignIns] = web.AppKey("sign_ins", SignIns)


async def keep_sign_ins(app: web.Application) -> AsyncIterator[None]:
    """For `cleanup_ctx`."""
    app[SIGN_INS] = SignIns(app[SERVICE].database)
    stop = asyncio.Event()
    writing = asyncio.create_task(_write_failures(app, stop))
    yield
    # Not cancelled: a transaction that is cut off would keep SQLite's lock for a while.
    stop.set()
    await writing
    app[SIGN_INS].close()


async def _write_failures(app: web.Application, stop: asyncio.Event) -> None:
    """Now and then, and once more at the end."""
    failures = app[SIGN_INS].failures
    while not stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(failures.wait_seconds):
                await stop.wait()
        try:
            await failures.write(app[SERVICE].database, now_ms())
        except (SQLAlchemyError, OSError) as error:
            # They are kept, and written the next time.
            log.warning("failed_sign_ins_not_written", error=type(error).__name__)
