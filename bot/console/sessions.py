"""Who is logged in: a signed cookie, checked against member and session on each request.

The token against cross-site requests belongs to the session number, not to one cookie: a notice
that was being written when the twelve hours ended can still be sent after logging in again.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web
from itsdangerous import BadSignature, Signer, URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.user_agents import device_words
from bot.cookies import cookie_name, drop_cookie, put_cookie
from bot.service import Service
from content.clock import SECOND, now_ms
from content.staff import members, sessions
from content.staff.members import Staff
from content.staff.sessions import StaffSession

log = structlog.get_logger(__name__)

COOKIE = "kairanban_session"
LASTS_SECONDS = sessions.LASTS // SECOND
HALF_COOKIE = "kairanban_half"
HALF_SECONDS = 5 * 60


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A member, and the session in which this request comes."""

    member: Staff
    session: StaffSession


async def begin_session(connection: AsyncConnection, request: web.Request, member: Staff) -> int:
    """Written down with the sign-in; its id is for `open_session`."""
    return await sessions.begin(
        connection,
        member.id,
        source=request.remote or "",
        device=device_words(request.headers.get("User-Agent", "")),
        at=now_ms(),
    )


def open_session(service: Service, response: web.Response, member: Staff, session_id: int) -> None:
    """Put the signed cookie on a response."""
    value = _serializer(service).dumps([member.id, member.session_number, session_id])
    put_cookie(service, response, COOKIE, str(value), max_age=LASTS_SECONDS)


def forget_session(service: Service, response: web.Response) -> None:
    drop_cookie(service, response, COOKIE)


async def current_staff(request: web.Request, service: Service) -> Staff | None:
    """The member of staff of this request's cookie; None when it is missing, forged, too old or ended."""
    found = await signed_in(request, service)
    return found.member if found else None


async def signed_in(request: web.Request, service: Service) -> SignedIn | None:
    """As `current_staff`, with the session."""
    read = _read_cookie(request, service, COOKIE, _serializer(service), LASTS_SECONDS)
    if read is None or len(read) != 3:
        # None, or one of a version that did not write sessions down.
        return None
    staff_id, session_number, session_id = read
    now = now_ms()
    async with service.database.read() as connection:
        member = await members.get(connection, staff_id)
        session = await sessions.find(connection, session_id, staff_id, at=now)
    if member is None or session is None or member.session_number != session_number:
        return None
    if now - session.seen_at >= sessions.SEEN_EACH:
        await _write_seen(service, session, now)
    return SignedIn(member, session)


async def _write_seen(service: Service, session: StaffSession, now: int) -> None:
    try:
        async with service.database.write() as connection:
            await sessions.seen(connection, session.id, at=now)
    except (SQLAlchemyError, OSError) as error:
        # A page can be read also while nothing can be written.
        log.warning("session_not_seen", error=type(error).__name__)


def _read_cookie(
    request: web.Request, service: Service, name: str, serializer: URLSafeTimedSerializer, seconds: int
) -> list[Any] | None:
    """What stands in a signed cookie; None when it is missing, forged or too old."""
    try:
        found = serializer.loads(request.cookies.get(cookie_name(service, name), ""), max_age=seconds)
    except (BadSignature, TypeError, ValueError):
        return None
    return found if isinstance(found, list) else None


@dataclass(frozen=True, slots=True)
class HalfEntered:
    """Who typed the right password a few minutes ago; `session` is this browser's alone."""

    member: Staff
    session: str


def open_half(service: Service, response: web.Response, member: Staff) -> None:
    """The password was right, the second factor is still to come."""
    value = _half_serializer(service).dumps([member.id, member.session_number, secrets.token_urlsafe(12)])
    put_cookie(service, response, HALF_COOKIE, str(value), max_age=HALF_SECONDS)


def forget_half(service: Service, response: web.Response) -> None:
    drop_cookie(service, response, HALF_COOKIE)


async def half_entered(request: web.Request, service: Service) -> HalfEntered | None:
    read = _read_cookie(request, service, HALF_COOKIE, _half_serializer(service), HALF_SECONDS)
    if read is None or len(read) != 3:
        return None
    staff_id, session_number, nonce = read
    async with service.database.read() as connection:
        member = await members.get(connection, staff_id)
    if member is None or member.session_number != session_number:
        return None
    return HalfEntered(member, f"half {nonce}")


def csrf_token(service: Service, member: Staff) -> str:
    signer = Signer(service.keys.session_secret, salt="console csrf")
    return signer.get_signature(f"{member.id}.{member.session_number}").decode()


def csrf_matches(service: Service, member: Staff, token: str) -> bool:
    return hmac.compare_digest(csrf_token(service, member).encode(), token.encode())


def _serializer(service: Service) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(service.keys.session_secret, salt="console session")


def _half_serializer(service: Service) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(service.keys.session_secret, salt="console half session")
