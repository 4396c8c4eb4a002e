"""Which machine calls, whether it may, and how often: the one door to what machines can do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from bot.api.problems import problem
from bot.app_keys import SERVICE
from bot.door.source import household
from bot.service import Service
from content.notices.records import town_now
from content.staff import machines
from content.staff.machines import USE_NOTED_EVERY, Machine
from content.staff.throttle import WAIT_SECONDS, Throttle

log = structlog.get_logger(__name__)

# In five minutes: what a busy program asks, and what only one that has gone wild does.
CALLS_OF_MACHINE = 600
# Wrong keys of one source: the key itself cannot be guessed, so this only keeps the noise down.
WRONG_KEYS = 40
THROTTLE: web.AppKey[Throttle] = web.AppKey("machine_throttle", Throttle)


@dataclass(frozen=True, slots=True)
class MachineRequest:
    """One request by a machine whose key is good."""

    request: web.Request
    service: Service
    machine: Machine


MachineHandler = Callable[[MachineRequest], Awaitable[web.StreamResponse]]


def guarded(handler: MachineHandler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler behind the door."""

    async def handle(request: web.Request) -> web.StreamResponse:
        service, throttle = request.app[SERVICE], request.app[THROTTLE]
        caller = await _caller(request, service)
        if caller is None:
            # A good key is never kept waiting by bad ones from the same town hall.
            if not throttle.may_try({("wrong", household(request.remote or "")): WRONG_KEYS}):
                return _too_many()
            log.warning("machine_refused", reason="key")
            return problem("unknown-token", headers={"WWW-Authenticate": "Bearer"})
        if not caller.comes_from(request.remote or ""):
            log.warning("machine_refused", reason="source", machine=caller.id)
            return problem("wrong-place")
        if not throttle.may_try({("machine", caller.id): CALLS_OF_MACHINE}):
            return _too_many()
        async with service.database.read() as connection:
            service = service.with_town(await town_now(connection, service.town))
        return await handler(MachineRequest(request, service, caller))

    return handle


async def _caller(request: web.Request, service: Service) -> Machine | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.startswith(machines.SIGN):
        return None
    now = service.database.now()
    async with service.database.read() as connection:
        found = await machines.find_by_token(connection, token.strip())
    if found is None or not found.is_good(now):
        return None
    if now - (found.last_used_at or 0) > USE_NOTED_EVERY:
        async with service.database.write() as connection:
            await machines.note_use(connection, found.id, at=now)
    return found


def _too_many() -> web.Response:
    return problem("too-many", headers={"Retry-After": str(int(WAIT_SECONDS))})
