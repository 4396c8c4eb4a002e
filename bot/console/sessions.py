"""Who is logged in: a signed cookie, checked against the staff table on each request.

The token against cross-site requests belongs to the session number, not to one cookie: a notice
that was being written when the twelve hours ended can still be sent after logging in again.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from aiohttp import web
from itsdangerous import BadSignature, Signer, URLSafeTimedSerializer

from bot.console.cookies import cookie_name, drop_cookie, put_cookie
from bot.service import Service
from content.staff import members
from content.staff.members import Staff

COOKIE = "kairanban_session"
LASTS_SECONDS = 12 * 60 * 60
HALF_COOKIE = "kairanban_half"
HALF_SECONDS = 5 * 60


def open_session(service: Service, response: web.Response, member: Staff) -> None:
    """Put the signed cookie on a response."""
    value = _serializer(service).dumps([member.id, member.session_number])
    put_cookie(service, response, COOKIE, str(value), max_age=LASTS_SECONDS)


def forget_session(service: Service, response: web.Response) -> None:
    drop_cookie(service, response, COOKIE)


async def current_staff(request: web.Request, service: Service) -> Staff | None:
    """The member of staff of this request's cookie; None when it is missing, forged, too old or ended."""
    return await _member_of(request, service, COOKIE, _serializer(service), LASTS_SECONDS)


async def _member_of(
    request: web.Request, service: Service, name: str, serializer: URLSafeTimedSerializer, seconds: int
) -> Staff | None:
    try:
        cookie = request.cookies.get(cookie_name(service, name), "")
        staff_id, session_number = serializer.loads(cookie, max_age=seconds)
    except (BadSignature, TypeError, ValueError):
        return None
    async with service.database.read() as connection:
        member = await members.get(connection, staff_id)
    return member if member and member.session_number == session_number else None


def open_half(service: Service, response: web.Response, member: Staff) -> None:
    """The password was right, the second factor is still to come."""
    value = _half_serializer(service).dumps([member.id, member.session_number])
    put_cookie(service, response, HALF_COOKIE, str(value), max_age=HALF_SECONDS)


def forget_half(service: Service, response: web.Response) -> None:
    drop_cookie(service, response, HALF_COOKIE)


async def half_entered(request: web.Request, service: Service) -> Staff | None:
    """Who typed the right password a few minutes ago."""
    return await _member_of(request, service, HALF_COOKIE, _half_serializer(service), HALF_SECONDS)


def csrf_token(service: Service, member: Staff) -> str:
    signer = Signer(service.keys.session_secret, salt="console csrf")
    return signer.get_signature(f"{member.id}.{member.session_number}").decode()


def csrf_matches(service: Service, member: Staff, token: str) -> bool:
    return hmac.compare_digest(csrf_token(service, member).encode(), token.encode())


def comes_from_here(request: web.Request, service: Service) -> bool:
    """False when the browser says that another site made it send this request."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    # Behind a reverse proxy the host may be rewritten, so the public address counts as well.
    if origin is None:
        return True
    host = urlsplit(origin).netloc
    return bool(host) and host in (request.host, urlsplit(service.settings.public_url).netloc)


def _serializer(service: Service) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(service.keys.session_secret, salt="console session")


def _half_serializer(service: Service) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(service.keys.session_secret, salt="console half session")
