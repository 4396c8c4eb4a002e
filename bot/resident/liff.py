"""The settings of a LINE registration, opened inside LINE (LIFF): LINE's own word says who is there.

Without a LIFF of the town there is no such page, and everything is set in the chat. Without a script the page says so.
"""

from __future__ import annotations

from aiohttp import web

from bot.app_keys import MAIL_ASKS
from bot.door.source import household
from bot.forms import read_fields
from bot.pages import page, redirect, service_of
from bot.resident.settings_session import PATH, open_settings
from bot.same_site import comes_from_here
from bot.service import Service
from channels.channel import ChannelError
from channels.line.login import user_of_id_token
from content.register import addresses, subscribers
from content.register.states import SubscriberState
from content.register.subscribers import Subscriber

LINE_SDK = "https://static.line-scdn.net/liff/edge/2/sdk.js"
STAND_IN_SDK = "/_sandbox/liff/sdk.js"
# A hall with one address for many.
OPENINGS_OF_SOURCE = 60
# LINE's script and what it calls, on this page alone.
POLICY = (
    "default-src 'self'; script-src 'self' {sdk}; connect-src 'self' https://*.line.me https://*.line-scdn.net; "
    "img-src 'self' https://*.line-scdn.net; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


async def show_opening(request: web.Request) -> web.Response:
    settings = service_of(request).settings
    line = settings.line
    if not settings.liff.is_set_up:
        return redirect(PATH)
    sdk = f"{line.api_base}{STAND_IN_SDK}" if line.is_sandbox else LINE_SDK
    response = page(request, "resident/liff.html", sdk=sdk, liff_id=settings.liff.id, problem=False)
    response.headers["Content-Security-Policy"] = POLICY.format(sdk=sdk.rpartition("/")[0] + "/")
    return response


async def open_by_line(request: web.Request) -> web.Response:
    service = service_of(request)
    settings, source = service.settings, household(request.remote or "")
    if not settings.liff.is_set_up or not comes_from_here(request, service):
        raise web.HTTPForbidden
    token = str((await read_fields(request)).get("id_token", ""))
    if not request.app[MAIL_ASKS].may_try({f"liff {source}": OPENINGS_OF_SOURCE}):
        return _not_opened(request, 429)
    try:
        user_id = addresses.normalise(
            "line", await user_of_id_token(settings.line.api_base, token, settings.liff.channel_id)
        )
    except (ChannelError, addresses.BadAddress):
        return _not_opened(request, 403)
    found = await _registration(service, user_id)
    if found is None:
        return _not_opened(request, 404)
    response = redirect(PATH)
    open_settings(service, response, found)
    return response


async def _registration(service: Service, user_id: str) -> Subscriber | None:
    account = service.town.live_account("line")
    if account is None:
        return None
    async with service.database.read() as connection:
        number = await subscribers.find(connection, service.keys, account.key, "line", user_id)
        found = await subscribers.get(connection, number) if number is not None else None
    return found if found and found.state == SubscriberState.ACTIVE else None


def _not_opened(request: web.Request, status: int) -> web.Response:
    return page(request, "resident/liff.html", status=status, sdk="", liff_id="", problem=True)
