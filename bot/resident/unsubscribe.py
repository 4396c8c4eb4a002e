"""Receiving less, or nothing, by the link in a mail. Opening the link changes nothing: mail scanners open links.

The POST is also what a mail program sends by itself (RFC 8058): no cookie, no form of ours, so the signed
token in the address is the whole permission. That one ends the registration at once; the page offers gentler
acts before it, and takes an end back for a week.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import partial

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.forms import read_fields
from bot.pages import page, service_of
from bot.service import Service
from content.clock import now_ms, today_jst
from content.register import addresses, leaving
from content.register.address_book import open_addresses
from content.register.states import Route, SubscriberState
from content.register.subscribers import UNTIL_CHANGED, Subscriber, require
from content.register.tokens import find_by_token
from content.town import Category, Town
from scheduler.words import CHANNEL_NAMES

# Days that a pause may last, as the page offers them.
PAUSES = (7, 30, 90)


class Act(StrEnum):
    """What the page offers, from the gentlest on, and the ways back."""

    TOPICS = "topics"
    CRITICAL = "critical"
    PAUSE = "pause"
    STOP = "stop"
    RESUME = "resume"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Done:
    """What an act has led to: shown above, with the way back below. `before`: the categories chosen until then."""

    act: Act
    before: tuple[str, ...] = ()


async def show_unsubscribe(request: web.Request) -> web.Response:
    found = await _find(request)
    if found is None:
        return page(request, "resident/unsubscribe_unknown.html", status=404)
    return await _answer(request, found)


async def unsubscribe(request: web.Request) -> web.Response:
    """Saying it twice is fine: the second time nothing is left to change."""
    found = await _find(request)
    if found is None:
        return page(request, "resident/unsubscribe_unknown.html", status=404)
    fields = await read_fields(request)
    by_mail_program = "act" not in fields
    try:
        act = Act.STOP if by_mail_program else Act(fields["act"])
        days = int(fields.get("days", "")) if act == Act.PAUSE else 0
        if act == Act.PAUSE and days not in PAUSES:
            raise ValueError(days)
    except ValueError:
        raise web.HTTPBadRequest from None
    route = Route.MAIL if by_mail_program else Route.WEB
    async with service_of(request).database.write() as connection:
        changed = await _do(
            connection, service_of(request).town, found, act, fields.getall("category", []), days, route
        )
        now = await require(connection, found.id)
    done = Done(act, tuple(sorted(found.preferences.categories))) if changed else None
    return await _answer(request, now, done)


async def _do(
    connection: AsyncConnection,
    town: Town,
    found: Subscriber,
    act: Act,
    categories: Collection[str],
    days: int,
    route: Route,
) -> bool:
    """False when it does not apply any more, since the registration has ended or not ended meanwhile."""
    at = now_ms()
    if act == Act.UNDO:
        return await leaving.undo_stop(connection, found, route=route, at=at)
    if act == Act.STOP:
        await leaving.stop(connection, found.id, route=route, at=at)
        return True
    if found.state != SubscriberState.ACTIVE:
        return False
    match act:
        case Act.TOPICS:
            await leaving.choose_topics(connection, town, found.id, categories, route=route, at=at)
        case Act.CRITICAL:
            await leaving.pause(connection, found.id, route=route, at=at)
        case Act.PAUSE:
            await leaving.pause(connection, found.id, last_day(days), route=route, at=at)
        case Act.RESUME:
            await leaving.resume(connection, found.id, route=route, at=at)
    return True


def last_day(days: int) -> date:
    return today_jst() + timedelta(days=days)


async def _find(request: web.Request) -> Subscriber | None:
    service = service_of(request)
    async with service.database.read() as connection:
        return await find_by_token(connection, service.keys, "unsubscribe", request.match_info["token"])


async def _answer(request: web.Request, found: Subscriber, done: Done | None = None) -> web.Response:
    service = service_of(request)
    is_active = found.state == SubscriberState.ACTIVE
    async with service.database.read() as connection:
        may_undo = await leaving.may_undo(connection, found, at=now_ms())
    chosen, today = found.preferences, today_jst()
    return page(
        request,
        "resident/unsubscribe.html",
        state="ask" if is_active else "ended",
        done=done,
        channel=_channel(service, found),
        address=await _masked_address(service, found),
        topics=_topics(service.town, chosen.categories),
        paused=chosen.is_paused(today),
        paused_until=None if chosen.paused_until == UNTIL_CHANGED else chosen.paused_until,
        pauses=[(days, last_day(days)) for days in PAUSES],
        may_undo=may_undo,
    )


def _topics(town: Town, chosen: Collection[str]) -> list[Category]:
    """Those that can be given up."""
    return [item for item in town.categories if item.key in chosen and not item.always and not item.closed]


def _channel(service: Service, found: Subscriber) -> str:
    account = service.town.account.get(found.account)
    return CHANNEL_NAMES[account.channel] if account else found.account


async def _masked_address(service: Service, found: Subscriber) -> str:
    account = service.town.account.get(found.account)
    if account is None:
        return ""
    opened = await service.database.read_step(
        partial(
            open_addresses,
            keys=service.keys,
            account=found.account,
            subscriber_ids=[found.id],
            with_left=True,
        )
    )
    clear = opened.clear.get(found.id)
    return addresses.masked(account.channel, clear[0]) if clear and clear[0] else ""
