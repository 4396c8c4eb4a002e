"""Every route of the console, asked by everybody: the routes are read from the application itself."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass

import pytest
from aiohttp import web

from bot.console.routes import add_console
from bot.console.sessions import csrf_token
from bot.service import Service
from content.clock import now_ms
from content.staff import member_changes, members, rights
from content.staff.members import Staff
from content.staff.rights import OF_THE_WHOLE_OFFICE, OFFICE, ROLES, Permission, Right
from tests.bot.web_visitor import Page, Visitor
from tests.factories import make_notice

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


async def member(service: Service, login: str = "tanaka") -> Staff:
    async with service.database.read() as connection:
        found = await members.find_any(connection, login)
    assert found is not None
    return found


async def ask(visitor: Visitor, route: Route, notice_id: int, token: str, **headers: str) -> Page:
    path = re.sub(r"\{\w+\}", str(notice_id), route.path)
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
    route: Route, stranger: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection, approved=False)
        # So that tanaka is never the last one.
        await member_changes.set_role(connection, await member(service, "suzuki"), "administrator")
    answers = [await ask(stranger, route, notice_id, "")]
    assert is_sent_to_the_login(route, answers[0])
    for role in ROLES:
        async with service.database.write() as connection:
            await member_changes.set_role(connection, await member(service), role)
        await stranger.enter(service, "tanaka")
        token = csrf_token(service, await member(service))
        if not set(route.permissions) & ROLES[role]:
            answer = await ask(stranger, route, notice_id, token)
            assert answer.status == 403
        else:
            if route.method == "POST":
                other = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
                for refused in (
                    await ask(stranger, route, notice_id, ""),
                    await ask(stranger, route, notice_id, token, **other),
                    await ask(stranger, route, notice_id, token, Origin="null"),
                ):
                    assert refused.status == 403
            answer = await ask(stranger, route, notice_id, token)
            assert answer.status not in (401, 403, 405, 500)
            assert not is_sent_to_the_login(route, answer) or route.path == "/console/logout"
        answers.append(answer)
    await stranger.enter(service, "tanaka")
    async with service.database.write() as connection:
        await member_changes.disable(connection, await member(service), at=now_ms())
    answers.append(await ask(stranger, route, notice_id, csrf_token(service, await member(service))))
    assert is_sent_to_the_login(route, answers[-1])
    # Nothing of the console stays in a browser that others use after.
    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}


# Whose notice of kosodate is asked for: the whole office has it, kodomo owns it, bosai owns another.
DEPARTMENTS = {OFFICE: True, "kodomo": True, "bosai": False}


@pytest.mark.parametrize("route", GUARDED, ids=str)
async def test_a_route_opens_by_the_rights_of_each_department(
    route: Route, stranger: Visitor, service: Service
) -> None:
    """The matrix: every route × right × department."""
    async with service.database.write() as connection:
        notice_id = await make_notice(connection, approved=False)
        await member_changes.set_role(connection, await member(service, "suzuki"), "administrator")
        for key, category in (("kodomo", "kosodate"), ("bosai", "bohan")):
            await rights.add_department(connection, key, f"{key}課", [category], at=now_ms())
    for permission in Permission:
        for department, has_it in DEPARTMENTS.items():
            if permission in OF_THE_WHOLE_OFFICE and department != OFFICE:
                continue
            async with service.database.write() as connection:
                await member_changes.set_rights(
                    connection, await member(service), [Right(permission, department)]
                )
            await stranger.enter(service, "tanaka")
            answer = await ask(stranger, route, notice_id, csrf_token(service, await member(service)))
            of_a_notice = route.path.startswith("/console/notices/{id}")
            opens = permission in route.permissions and (has_it or not of_a_notice)
            if opens and route.method == "POST" and of_a_notice:
                # The door opens; the act itself may still want the right that belongs to this notice.
                assert answer.status not in (401, 405, 500), (permission, department)
            elif opens:
                assert answer.status not in (401, 403, 405, 500), (permission, department)
            else:
                assert answer.status == 403, (permission, department)


def everything(service: Service) -> list[str]:
    with closing(sqlite3.connect(service.database.path)) as file:
        return list(file.iterdump())


async def test_looking_at_pages_changes_nothing(stranger: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection, approved=False)
        await member_changes.set_role(connection, await member(service), "administrator")
    await stranger.enter(service, "tanaka")
    before = everything(service)
    looked = [await ask(stranger, route, notice_id, "") for route in GUARDED if route.method == "GET"]
    assert {page.status for page in looked} >= {200}
    assert everything(service) == before
