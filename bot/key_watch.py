"""A running process takes in what changes of its keys: a line of the secret key file, a key of a purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from bot.service import Service
from content.database.secret_keys import read_ring
from content.key_file import KeyFileError, read_roots
from content.keys import Keys

log = structlog.get_logger(__name__)

# Seconds; several times within `content.key_changes.SETTLES`.
LOOK_EVERY = 3.0


async def renew_keys(service: Service) -> None:
    """Raises KeyFileError when the file and the database do not go together; then the keys stay as they were."""
    keys = service.keys
    fresh = Keys(await asyncio.to_thread(read_roots, service.settings.secret_key_file), keys.identity)
    async with service.database.read() as connection:
        ring = await read_ring(connection, fresh)
    keys.renew(fresh.roots, ring, service.database.now())


@asynccontextmanager
async def keys_kept_current(service: Service) -> AsyncIterator[None]:
    """Until the block ends."""
    looking = asyncio.create_task(_look_again_and_again(service))
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _look_again_and_again(service: Service) -> None:
    said = ""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            await renew_keys(service)
            said = ""
        except KeyFileError as error:
            if str(error) != said:
                said = str(error)
                log.error("keys_not_renewed", remedy=said)
        except Exception as error:
            # While the database is away others say so already.
            if said != type(error).__name__:
                said = type(error).__name__
                log.warning("keys_not_renewed", error=said)
