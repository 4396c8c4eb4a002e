"""The dots in the chat that say that an answer is being written, for whoever waits long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog

from channels.line.api import LineApi

log = structlog.get_logger(__name__)

# Seconds after which they show, and for how long at most.
PATIENCE = 1.0
SHOWN_SECONDS = 20


@asynccontextmanager
async def dots(api: LineApi, user_ids: Iterable[str], patience: float = PATIENCE) -> AsyncIterator[None]:
    """While the block takes longer than `patience` these residents see dots; LINE takes them away at our answer."""
    showing = asyncio.create_task(_show(api, list(user_ids), patience))
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)


async def _show(api: LineApi, user_ids: list[str], patience: float) -> None:
    await asyncio.sleep(patience)
    for user_id in user_ids:
        try:
            await api.show_loading(user_id, SHOWN_SECONDS)
        except Exception as error:
            # Only a courtesy.
            log.info("line_loading_failed", error=type(error).__name__)
