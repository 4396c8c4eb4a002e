"""The cookie of a browser from which members of staff signed in before.

It opens nothing: the password is asked for all the same. But whoever has it is not kept waiting because
strangers have been guessing. One browser may serve several members: a town hall has shared desks.
"""

from __future__ import annotations

import secrets

from aiohttp import web
from itsdangerous import BadSignature, URLSafeSerializer

from bot.cookies import cookie_name, put_cookie
from bot.service import Service
from content.clock import DAY, SECOND, now_ms
from content.staff.members import Staff
from content.staff.sign_in import Device

COOKIE = "kairanban_device"
LASTS = 180 * DAY
MOST_MEMBERS = 10


def device_of(request: web.Request, service: Service) -> Device | None:
    """None when the cookie is missing or not ours; without the members who have been away for long."""
    try:
        device_id, members = _serializer(service).loads(request.cookies.get(cookie_name(service, COOKIE), ""))
        found = {int(staff_id): int(at) for staff_id, at in members}
    except (BadSignature, TypeError, ValueError):
        return None
    oldest = now_ms() - LASTS
    return Device(str(device_id), {staff_id: at for staff_id, at in found.items() if at >= oldest})


def remember_device(service: Service, response: web.Response, device: Device | None, member: Staff) -> None:
    """After a successful sign-in: put the cookie on the response."""
    members = {**(device.members if device else {}), member.id: now_ms()}
    newest = sorted(members.items(), key=lambda item: item[1])[-MOST_MEMBERS:]
    device_id = device.id if device else secrets.token_urlsafe(12)
    value = _serializer(service).dumps([device_id, newest])
    put_cookie(service, response, COOKIE, str(value), max_age=LASTS // SECOND)


def _serializer(service: Service) -> URLSafeSerializer:
    return URLSafeSerializer(service.keys.session_secret, salt="console device")
