"""The one door to the console: every route names a permission, and nothing runs before it is checked."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.carried import session_ended
from bot.console.navigation import menu
from bot.console.sessions import csrf_matches, csrf_token, signed_in
from bot.console.words import outage_words
from bot.errors import error_page, message_page
from bot.multipart import read_form_with_file
from bot.pages import page, redirect, service_of
from bot.same_site import comes_from_here
from bot.service import Service
from content.clock import now_ms
from content.ledger.account_outages import AccountOutage, find_outages
from content.notices import maintenance, searching
from content.notices.maintenance import Maintenance
from content.notices.records import town_now
from content.staff import second_factor
from content.staff.members import NotAllowed, Staff
from content.staff.rights import Permission
from content.staff.sessions import StaffSession

ALL_PERMISSIONS = frozenset[str](Permission)
# Letting a notice go takes one or the other, as its urgency is: the act itself asks for the right one.
SEND = (Permission.APPROVE, Permission.SEND_URGENT)
# Whoever has something to do with a draft.
DECIDE = (Permission.WRITE, *SEND)
OWN = "/console/account"
NOTICE_PATH = re.compile(r"/console/notices/\d")
Needed = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StaffRequest:
    """One request by a member of staff who may make it."""

    request: web.Request
    service: Service
    staff: Staff
    session: StaffSession
    outages: tuple[AccountOutage, ...] = ()
    maintenance: Maintenance | None = None

    @property
    def notice_id(self) -> int:
        """Of a route with `{id}`; its pattern admits digits only."""
        return int(self.request.match_info["id"])

    def page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """A console page, with what its frame needs."""
        return page(
            self.request,
            template,
            status=status,
            staff=self.staff,
            town=self.service.town,
            csrf=csrf_token(self.service, self.staff),
            path=self.request.path,
            menu=menu(self.request, self.staff),
            maintenance=self.maintenance,
            outages=[outage_words(self.service.town, item) for item in self.outages],
            **values,
        )


ConsoleHandler = Callable[[StaffRequest], Awaitable[web.StreamResponse]]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ConsoleRoutes:
    """Registers routes under /console; there is no way to add one without a permission."""

    def __init__(self, app: web.Application) -> None:
        self._router = app.router

    def get(self, path: str, permission: Needed, handler: ConsoleHandler) -> None:
        self._router.add_get(f"/console{path}", guarded(permission, handler))

    def post(self, path: str, permission: Needed, handler: ConsoleHandler) -> None:
        self._router.add_post(f"/console{path}", guarded(permission, handler))


def guarded(permission: Needed, handler: ConsoleHandler) -> Handler:
    """The handler behind the door: any of these permissions opens it. Its `permissions` are what tests read.

    Of a notice they count for its category. The act checks again, within its transaction.
    """
    permissions = (permission,) if isinstance(permission, str) else permission
    if unknown := set(permissions) - ALL_PERMISSIONS:
        raise ValueError(f"no permission {unknown}")

    async def handle(request: web.Request) -> web.StreamResponse:
        service = service_of(request)
        found = await signed_in(request, service)
        if found is None:
            return await _ask_to_log_in(request)
        member = found.member
        async with service.database.read() as connection:
            outages = await find_outages(connection, now_ms())
            held_back = await maintenance.read(connection)
            category = await _category(connection, request)
            service = service.with_town(await town_now(connection, service.town))
            lacks_factor = _needs_factor(service, member, request) and not await second_factor.is_on(
                connection, member.id
            )
        if lacks_factor:
            return redirect(f"{OWN}?note=needed")
        if not member.may_any(permissions, category):
            return error_page(request, 403)
        if request.method == "POST" and not await _is_meant(request, service, member):
            return _not_meant(request)
        try:
            return await handler(
                StaffRequest(request, service, member, found.session, tuple(outages), held_back)
            )
        except NotAllowed:
            # For this act, or no longer: it was taken away since the request came in.
            return error_page(request, 403)

    handle.permissions = permissions  # type: ignore[attr-defined]
    return handle


def _needs_factor(service: Service, member: Staff, request: web.Request) -> bool:
    """Whether this page waits until whoever may send has set up a second factor."""
    is_way_there = request.path == "/console/logout" or request.path.startswith(OWN)
    return service.town.second_factor == "senders" and not is_way_there and member.may_any(SEND)


async def _category(connection: AsyncConnection, request: web.Request) -> str | None:
    """That of the notice of this request; None when it is about none, or about one that there is not."""
    if not NOTICE_PATH.match(request.path):
        return None
    return await searching.category_of(connection, int(request.match_info["id"]))


async def _is_meant(request: web.Request, service: Service, member: Staff) -> bool:
    if not comes_from_here(request, service):
        return False
    form, _ = await read_form_with_file(request)
    return csrf_matches(service, member, form.get("csrf", ""))


async def _ask_to_log_in(request: web.Request) -> web.Response:
    if request.method in ("GET", "HEAD"):
        return redirect(f"/console/login?next={quote(request.path_qs, safe='')}")
    carried = await session_ended(request)
    return carried or message_page(
        request,
        401,
        "ログインの期限が切れました",
        "書いた内容は、まだ消えていません。別のタブでログインしてから、このページを再読み込みして"
        "「再送信」を選んでください。まだ何も保存・送信されていません。",
        "Your session has ended. Log in again in another tab, then reload this page.",
    )


def _not_meant(request: web.Request) -> web.Response:
    return message_page(
        request,
        403,
        "もう一度操作してください",
        "この画面から送られた操作だと確かめられなかったため、何も行いませんでした。"
        "ブラウザーの「戻る」で前の画面に戻り、再読み込みしてから、もう一度押してください。",
        "We could not verify that this came from our page. Nothing was done: go back, reload, try again.",
    )
