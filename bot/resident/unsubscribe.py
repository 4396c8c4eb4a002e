"""Ending a registration by the link in a mail. Opening the link changes nothing: mail scanners open links.

The POST is also what a mail program sends by itself (RFC 8058): no cookie, no form of ours, so
the signed token in the address is the whole permission.
"""

from __future__ import annotations

from aiohttp import web

from bot.pages import page, service_of
from bot.service import Service
from content.clock import now_ms
from content.register import subscriber_changes
from content.register.states import SubscriberState
from content.register.subscribers import Subscriber
from content.register.tokens import find_by_token
from scheduler.words import CHANNEL_NAMES


async def show_unsubscribe(request: web.Request) -> web.Response:
    found = await _find(request)
    if found is None:
        return page(request, "resident/unsubscribe_unknown.html", status=404)
    state = "ask" if found.state == SubscriberState.ACTIVE else "already"
    return _answer(request, found, state)


async def unsubscribe(request: web.Request) -> web.Response:
    """Saying it twice is fine: the second time nothing is left to end."""
    found = await _find(request)
    if found is None:
        return page(request, "resident/unsubscribe_unknown.html", status=404)
    async with service_of(request).database.write() as connection:
        await subscriber_changes.leave(connection, found.id, reason="unsubscribed", at=now_ms())
    return _answer(request, found, "done")


async def _find(request: web.Request) -> Subscriber | None:
    service = service_of(request)
    async with service.database.read() as connection:
        return await find_by_token(connection, service.keys, "unsubscribe", request.match_info["token"])


def _answer(request: web.Request, found: Subscriber, state: str) -> web.Response:
    service = service_of(request)
    return page(request, "resident/unsubscribe.html", state=state, channel=_channel(service, found))


def _channel(service: Service, found: Subscriber) -> str:
    account = service.town.account.get(found.account)
    return CHANNEL_NAMES[account.channel] if account else found.account
