"""Every route of the console, asked by everybody: the routes are read from the application itself."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.routes import add_console
from bot.console.sessions import csrf_token
from bot.service import Service
from content.clock import now_ms
from content.database import Database
from content.staff import member_changes, members, rights, sessions
from content.staff.members import Staff
from content.staff.passwords import PasswordHash
from content.staff.rights import OF_THE_WHOLE_OFFICE, OFFICE, ROLES, Permission, Right
from content.staff.sessions import staff_session
from tests.bot.web_visitor import Page, Visitor
from tests.conftest import run_apart
from tests.factories import APRIL_TUESDAY, make_notice

# Whom they let in is the very thing that these find out.
OPEN_TO_ALL = {
    *("/console", "/console/login", "/console/login/code", "/console/password"),
    "/console/trial-address/{code}",
    *("/console/resume", "/console/resume/code", "/console/resume/here"),
    *("/console/login/passkey", "/console/login/passkey/options", "/console/resume/passkey"),
}


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    permissions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def routes() -> list[Route]:
    app = web.Application()
    add_console(app)
    found = {
        Route(route.method, route.resource.canonical, getattr(route.handler, "permissions", ()))
        for route in app.router.routes()
        if route.resource and route.method != "HEAD"
    }
    return sorted(found, key=str)


GUARDED = [route for route in routes() if route.path not in OPEN_TO_ALL]


# Whose notice of kosodate is asked for: the whole office has it, kodomo owns it, bosai owns another.
DEPARTMENTS = {OFFICE: True, "kodomo": True, "bosai": False}
RIGHTS = [
    Right(permission, department)
    for permission in Permission
    for department in DEPARTMENTS
    if permission not in OF_THE_WHOLE_OFFICE or department == OFFICE
]
GONE = "gone"
NOTICE = 1


@pytest.fixture(scope="module")
def staffed_template(staffed_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a notice and a colleague of each role, of each right and one who has left, all of them signed in."""
    path = tmp_path_factory.mktemp("office") / "office.db"
    shutil.copyfile(staffed_template, path)
    run_apart(_fill(path))
    return path


async def _fill(path: Path) -> None:
    database = Database(f"sqlite:///{path}")
    async with database.write() as connection:
        assert await make_notice(connection, approved=False) == NOTICE
        for key, category in (("kodomo", "kosodate"), ("bosai", "bohan")):
            await rights.add_department(connection, key, f"{key}課", [category], at=now_ms())
        await _hire(connection, GONE, *rights.of_role("administrator"))
        for role in ROLES:
            await _hire(connection, role, *rights.of_role(role))
        for right in RIGHTS:
            await _hire(connection, login_of(right), right)
        await member_changes.disable(connection, await members.find(connection, GONE), at=now_ms())
        for colleague in await members.everybody(connection):
            session_id = await sessions.begin(
                connection, colleague.id, source="192.0.2.7", device="Windows・Edge", at=now_ms()
            )
            # So that each is known by one number.
            await connection.execute(
                update(staff_session).where(staff_session.c.id == session_id).values(id=colleague.id)
            )
    await database.close()


async def _hire(connection: AsyncConnection, login: str, *granted: Right) -> None:
    await member_changes.add(
        connection, login=login, password_hash=PasswordHash(""), role="viewer", at=APRIL_TUESDAY
    )
    await member_changes.set_rights(connection, await members.find(connection, login), granted)


def login_of(right: Right) -> str:
    return f"{right.permission}.{right.department}"


@pytest.fixture
async def colleagues(service: Service) -> dict[str, Staff]:
    async with service.database.read() as connection:
        return {colleague.login: colleague for colleague in await members.everybody(connection)}


def come_as(visitor: Visitor, service: Service, colleague: Staff) -> str:
    """With the cookie of a colleague; the token of the forms."""
    visitor.take_session(service, colleague, colleague.id)
    return csrf_token(service, colleague)


async def ask(visitor: Visitor, route: Route, token: str, **headers: str) -> Page:
    path = re.sub(r"\{\w+\}", str(NOTICE), route.path)
    if route.method == "POST":
        return await visitor.post(path, [("csrf", token)], follow=False, **headers)
    async with visitor.client.get(path, headers=headers, allow_redirects=False) as answer:
        return Page(answer.status, path, await answer.text(), dict(answer.headers))


def is_sent_to_the_login(route: Route, page: Page) -> bool:
    if route.method == "POST":
        return page.status == 401
    return page.status == 303 and page.headers["Location"].startswith("/console/login?next=")


def test_there_are_routes_and_all_of_them_are_asked() -> None:
    assert len(GUARDED) > 15
    assert {route.path for route in routes()} - {route.path for route in GUARDED} == OPEN_TO_ALL
    assert all(route.permissions and set(route.permissions) <= set(Permission) for route in GUARDED)


@pytest.mark.parametrize("route", GUARDED, ids=str)
async def test_a_route_opens_to_whom_its_permission_is_given_and_to_nobody_else(
    route: Route, stranger: Visitor, service: Service, colleagues: dict[str, Staff]
) -> None:
    answers = [await ask(stranger, route, "")]
    assert is_sent_to_the_login(route, answers[0])
    for role in ROLES:
        token = come_as(stranger, service, colleagues[role])
        if not set(route.permissions) & ROLES[role]:
            answer = await ask(stranger, route, token)
            assert answer.status == 403
        else:
            if route.method == "POST":
                other = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
                for refused in (
                    await ask(stranger, route, ""),
                    await ask(stranger, route, token, **other),
                    await ask(stranger, route, token, Origin="null"),
                ):
                    assert refused.status == 403
            answer = await ask(stranger, route, token)
            assert answer.status not in (401, 403, 405, 500)
            assert not is_sent_to_the_login(route, answer) or route.path == "/console/logout"
        answers.append(answer)
    answers.append(await ask(stranger, route, come_as(stranger, service, colleagues[GONE])))
    assert is_sent_to_the_login(route, answers[-1])
    # Nothing of the console stays in a browser that others use after.
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("route", GUARDED, ids=str)
async def test_a_route_opens_by_the_rights_of_each_department(
    route: Route, stranger: Visitor, service: Service, colleagues: dict[str, Staff]
) -> None:
    """The matrix: every route × right × department."""
    of_a_notice = route.path.startswith("/console/notices/{id}")
    for right in RIGHTS:
        answer = await ask(stranger, route, come_as(stranger, service, colleagues[login_of(right)]))
        has_it = DEPARTMENTS[right.department]
        if right.permission not in route.permissions or (of_a_notice and not has_it):
            assert answer.status == 403, right
        elif route.method == "POST" and of_a_notice:
            # The door opens; the act itself may still want the right that belongs to this notice.
            assert answer.status not in (401, 405, 500), right
        else:
            assert answer.status not in (401, 403, 405, 500), right


def everything(service: Service) -> list[str]:
    with closing(sqlite3.connect(service.database.path)) as file:
        return list(file.iterdump())


async def test_looking_at_pages_changes_nothing(
    stranger: Visitor, service: Service, colleagues: dict[str, Staff]
) -> None:
    come_as(stranger, service, colleagues["administrator"])
    before = everything(service)
    looked = [await ask(stranger, route, "") for route in GUARDED if route.method == "GET"]
    assert {page.status for page in looked} >= {200}
    assert everything(service) == before
