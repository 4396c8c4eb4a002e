"""Registering with a mail address: the form, and the link that proves that the mailbox is hers.

Whoever fills in the form sees the same page whether or not the address is registered. Opening a link changes
nothing: mail scanners open links.
"""

from __future__ import annotations

from aiohttp import web

from bot.app_keys import MAIL_ASKS
from bot.door.source import household
from bot.forms import read_fields
from bot.line.friend_link import FRIEND_LINK
from bot.pages import page, redirect, service_of
from bot.resident.settings_session import PATH as SETTINGS
from bot.resident.settings_session import open_settings
from bot.same_site import comes_from_here
from bot.service import Service
from content.register import addresses, mail_requests, subscriber_changes, suppressing
from content.register.mail_requests import MailPurpose, MailRequest, TooManyRequests
from content.register.states import Route, SubscriberState
from content.register.subscribers import Preferences, Subscriber
from content.town import Account

# How often one household may ask within five minutes; a library or a town hall has one address for many.
ASKS_OF_SOURCE = 20
CONFIRMED = "confirmed"


async def show_subscribe(request: web.Request) -> web.Response:
    return _form(request)


async def ask_by_form(request: web.Request) -> web.Response:
    service = service_of(request)
    account = mail_account(service)
    if account is None:
        raise web.HTTPNotFound
    fields = await read_fields(request)
    typed = str(fields.get("address", "")).strip()
    language = str(fields.get("language", "ja"))
    try:
        plain = addresses.normalise("mail", typed)
    except addresses.BadAddress:
        return _form(request, typed=typed[:254], language=language, faulty=True)
    source = household(request.remote or "")
    if not request.app[MAIL_ASKS].may_try({source: ASKS_OF_SOURCE}):
        return _busy(request)
    try:
        await mail_requests.ask(
            service.database,
            service.keys,
            account=account.key,
            plain=plain,
            language=language if language in service.town.languages else "ja",
            route=Route.WEB,
            at=service.database.now(),
        )
    except TooManyRequests:
        return _busy(request)
    return redirect("/subscribe/sent")


async def show_sent(request: web.Request) -> web.Response:
    return page(request, "resident/subscribe_sent.html", sender=service_of(request).settings.mail.sender)


async def show_confirm(request: web.Request) -> web.Response:
    service = service_of(request)
    asked = await asked_for(request, MailPurpose.JOIN)
    if asked is None or not asked.is_open(service.database.now()):
        return link_over(request)
    return page(
        request,
        "resident/subscribe_confirm.html",
        here=request.path,
        masked=addresses.masked("mail", asked.address),
        always=[service.town.category[key] for key in service.town.always_categories],
    )


async def confirm(request: web.Request) -> web.Response:
    """The one act that registers a mail address."""
    service = service_of(request)
    asked = await asked_for(request, MailPurpose.JOIN)
    account = service.town.account.get(asked.account) if asked else None
    if asked is None or account is None:
        return link_over(request)
    now = service.database.now()
    async with service.database.write() as connection:
        if not await mail_requests.use(connection, asked, now):
            return link_over(request)
        found, _ = await subscriber_changes.join(
            connection,
            service.keys,
            account=account.key,
            channel=account.channel,
            plain=asked.address,
            preferences=Preferences(
                categories=frozenset(service.town.always_categories), language=asked.language
            ),
            reason=CONFIRMED,
            at=now,
            route=asked.route,
        )
        await suppressing.lift(connection, found.id, route=asked.route, at=now)
    return _into_settings(service, found, "?welcome=1")


async def show_open_settings(request: web.Request) -> web.Response:
    asked = await asked_for(request, MailPurpose.SETTINGS)
    if asked is None or not asked.is_open(service_of(request).database.now()):
        return link_over(request)
    return page(
        request,
        "resident/settings_open.html",
        here=request.path,
        masked=addresses.masked("mail", asked.address),
    )


async def open_by_link(request: web.Request) -> web.Response:
    """Once: from here on the settings are open in this browser alone."""
    service = service_of(request)
    asked = await asked_for(request, MailPurpose.SETTINGS)
    if asked is None:
        return link_over(request)
    async with service.database.write() as connection:
        found = await mail_requests.registration_of(connection, service.keys, asked)
        if found is None or not await mail_requests.use(connection, asked, service.database.now()):
            return link_over(request)
        # She has read our mail, so it arrives.
        await suppressing.lift(connection, found.id, route=asked.route, at=service.database.now())
    return _into_settings(service, found, "")


async def asked_for(request: web.Request, purpose: MailPurpose) -> MailRequest | None:
    """The request of the link in the address, on a site that may send it."""
    service = service_of(request)
    if request.method == "POST" and not comes_from_here(request, service):
        raise web.HTTPForbidden
    async with service.database.read() as connection:
        return await mail_requests.find(connection, service.keys, purpose, request.match_info["token"])


def mail_account(service: Service) -> Account | None:
    """Where residents register by mail; None when the town sends none."""
    return service.town.live_account("mail") if service.context.send_letter else None


def link_over(request: web.Request) -> web.Response:
    return page(request, "resident/link_over.html", status=404)


def _into_settings(service: Service, found: Subscriber, query: str) -> web.Response:
    response = redirect(f"{SETTINGS}{query}")
    if found.state == SubscriberState.ACTIVE:
        open_settings(service, response, found)
    return response


def _form(
    request: web.Request, *, typed: str = "", language: str = "ja", faulty: bool = False
) -> web.Response:
    service = service_of(request)
    return page(
        request,
        "resident/subscribe.html",
        status=400 if faulty else 200,
        by_mail=mail_account(service) is not None,
        by_line=service.town.live_account("line") is not None,
        friend_link=request.app[FRIEND_LINK].address,
        typed=typed,
        language=language,
        faulty=faulty,
    )


def _busy(request: web.Request) -> web.Response:
    response = page(request, "resident/subscribe_busy.html", status=429)
    response.headers["Retry-After"] = "300"
    return response
