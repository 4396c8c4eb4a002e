"""Whose settings are open in this browser: a signed cookie for an hour, given for a link out of the mailbox.

It names the registration and its salt, so it ends when the registration is erased or its number serves another.
"""

from __future__ import annotations

from aiohttp import web
from itsdangerous import BadSignature, URLSafeTimedSerializer

from bot.cookies import cookie_name, drop_cookie, put_cookie
from bot.service import Service
from content.register import subscribers
from content.register.states import SubscriberState
from content.register.subscribers import Subscriber

COOKIE = "kairanban_settings"
PATH = "/preferences"
LASTS_SECONDS = 60 * 60


def open_settings(service: Service, response: web.Response, found: Subscriber) -> None:
    value = str(_serializer(service).dumps([found.id, found.salt]))
    put_cookie(service, response, COOKIE, value, max_age=LASTS_SECONDS, path=PATH)


def close_settings(service: Service, response: web.Response) -> None:
    drop_cookie(service, response, COOKIE, path=PATH)


async def whose_settings(request: web.Request, service: Service) -> Subscriber | None:
    """The active registration of this request's cookie; None when it is missing, forged, too old or ended."""
    try:
        cookie = request.cookies.get(cookie_name(service, COOKIE), "")
        subscriber_id, salt = _serializer(service).loads(cookie, max_age=LASTS_SECONDS)
    except (BadSignature, TypeError, ValueError):
        return None
    async with service.database.read() as connection:
        found = await subscribers.get(connection, subscriber_id)
    if found is None or found.salt != salt or found.state != SubscriberState.ACTIVE:
        return None
    return found


def _serializer(service: Service) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(service.keys.session_secret, salt="resident settings")
