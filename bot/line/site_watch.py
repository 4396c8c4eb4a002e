"""Which of two sites speaks for the town: LINE knows, for it sends what friends do to one of them alone.

Whoever takes over writes its epoch into the webhook address (`?site=7`). A site that finds a later epoch there than its own
database has stops sending: LINE is the one place that both reach, and without which neither reaches a friend.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import structlog

from bot.heartbeat import TAKEN_OVER
from bot.service import Service
from channels.line.api import LineApi
from content.database import identity
from content.staff import audit

log = structlog.get_logger(__name__)

# Seconds.
LOOK_EVERY = 20.0
ANSWER_WITHIN = 5.0


def webhook_url(public_url: str, site: int | None = None) -> str:
    base = f"{public_url}/line/webhook"
    return base if site is None else f"{base}?site={site}"


def site_of(url: str) -> int:
    """The epoch in a webhook address; 0 when it has none."""
    found = parse_qs(urlsplit(url).query).get("site", ["0"])[0]
    return int(found) if found.isascii() and found.isdigit() and len(found) < 18 else 0


async def site_in_force(api: LineApi) -> int:
    """The epoch of the site that took over last; 0 when none ever did. Raises ChannelError and TimeoutError."""
    async with asyncio.timeout(ANSWER_WITHIN):
        found = await api.webhook_endpoint()
    return 0 if found is None else site_of(found[0])


async def look(service: Service, api: LineApi) -> bool:
    """Whether another site has taken over; then nothing goes out from here until a person has looked."""
    site = await site_in_force(api)
    async with service.database.read() as connection:
        found = await identity.read(connection)
    if found is None or site <= found.epoch:
        return False
    now = service.database.now()
    async with service.database.write() as connection:
        if await identity.hold(connection, TAKEN_OVER, now):
            await audit.record(connection, at=now, actor="serve", action="database.held", subject=TAKEN_OVER)
            log.error("another_site_has_taken_over", remedy="kairanban takeover")
    return True


async def watch_site(service: Service, api: LineApi) -> None:
    """Until cancelled. Where LINE does not answer, nothing is known and nothing changes."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        await look_once(service, api)


async def look_once(service: Service, api: LineApi) -> None:
    if not service.settings.two_sites or service.town.live_account("line") is None:
        return
    try:
        await look(service, api)
    except Exception as error:
        log.warning("site_not_asked", error=type(error).__name__)
