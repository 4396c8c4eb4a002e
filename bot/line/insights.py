"""LINE's own figures, fetched once a day: they stand beside ours and are never mixed with them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from bot.service import Service
from channels.line.api import LineApi
from content.clock import now_ms, today_jst
from content.figures import line_figures
from content.figures.line_figures import LineFigure

log = structlog.get_logger(__name__)

LOOK_EVERY = 3600.0
# After a standstill: LINE gives every past day, but a figure of each is asked for by itself, 60 in an hour.
MOST_DAYS = 14


async def watch_insights(service: Service, api: LineApi) -> None:
    """Fetch what is due, until cancelled."""
    while True:
        try:
            await fetch_insights(service, api)
        except Exception as error:
            log.warning("line_figures_not_fetched", error=type(error).__name__)
        await asyncio.sleep(LOOK_EVERY)


async def fetch_insights(service: Service, api: LineApi) -> int:
    """The days that came in. LINE has counted a day as a rule on the next one. Raises ChannelError."""
    account = service.town.live_account("line")
    if account is None:
        return 0
    yesterday = today_jst() - timedelta(days=1)
    async with service.database.read() as connection:
        newest = await line_figures.newest_day(connection, account.key)
    first = yesterday - timedelta(days=MOST_DAYS - 1)
    day = max(first, newest + timedelta(days=1)) if newest else yesterday
    fetched = 0
    while day <= yesterday:
        counts = await api.follower_counts(day)
        if counts is None:
            break
        figure = LineFigure(account.key, day, counts.followers, counts.targeted_reaches, counts.blocks)
        async with service.database.write() as connection:
            await line_figures.keep(connection, figure, at=now_ms())
        fetched += 1
        day += timedelta(days=1)
    return fetched
