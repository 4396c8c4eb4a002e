"""Logging in, the cookie, and sessions that end."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import time_machine
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from bot.app import create_app
from bot.console.devices import COOKIE as DEVICE
from bot.console.devices import remember_device
from bot.console.login import local_path
from bot.console.sessions import COOKIE, current_staff, open_session
from bot.service import Service
from bot.settings import WebSettings
from content.clock import HOUR, now_ms
from content.staff import audit, member_changes, members, sessions
from content.staff.members import Staff
from tests.bot.web_visitor import Visitor

WRONG = "ログインできませんでした。ログイン名とパスワードを確かめて"


async def member_of(service: Service, login: str) -> Staff:
    async with service.database.read() as connection:
        member = await members.find(connection, login)
    assert member is not None
    return member


async def session_of(service: Service, member: Staff) -> int:
    async with service.database.write() as connection:
        return await sessions.begin(connection, member.id, source="192.0.2.7", device="Mac", at=now_ms())


async def test_a_member_of_staff_logs_in_and_sees_the_home_page(stranger: Visitor) -> None:
    page = await stranger.log_in()
    assert page.path == "/console/"
    assert "緊急のお知らせを出す" in page.text
    assert "tanaka" in page.text


async def test_an_unknown_login_and_a_wrong_password_get_the_same_answer(stranger: Visitor) -> None:
    unknown = await stranger.log_in("nobody")
    wrong = await stranger.log_in("tanaka", "not the password")
    assert unknown.status == wrong.status == 401
    assert WRONG in unknown.text and WRONG in wrong.text
    assert "not the password" not in wrong.html


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "application/x-www-form-urlencoded; charset=x-unknown"]
)
async def test_a_body_that_is_no_form_is_refused_and_no_mistake_of_ours(
    stranger: Visitor, tanaka: Visitor, content_type: str
) -> None:
    headers = {"Content-Type": content_type, "Sec-Fetch-Site": "same-origin"}
    for visitor, path in ((stranger, "/console/login"), (tanaka, "/console/logout")):
        answer = await visitor.client.post(path, data=b"login=a", headers=headers)
        assert answer.status == 415
        assert "この形式では受け取れません" in await answer.text()


async def test_a_page_without_a_session_asks_to_log_in_and_comes_back(stranger: Visitor) -> None:
    page = await stranger.get("/console/reports?format=")
    assert page.path.startswith("/console/login?next=")
    fields = {"login": "tanaka", "password": "himitsu-no-kotoba"}
    assert (await stranger.submit(page, "/console/login", fields)).path == "/console/reports?format="


@pytest.mark.parametrize(
    "ours",
    ["/console", "/console/notices/3", "/console/reports?format=", "/console/notices?q=%E3%81%82&page=2..3"],
)
def test_after_the_login_the_page_that_was_asked_for_comes(ours: str) -> None:
    assert local_path(ours) == ours


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/console\\evil",
        "/console/\r\nX: y",
        "/console/\t/evil.example",
        "/console/\x7f",
        "/console/あ",
        "/console/../n/1",
        "/console/..",
        "/console/%2E%2e/n/1",
        "/console/.%2e?x",
        "/console//evil.example",
        "/console.evil.example",
        "/console/login",
        "/console/" + "x" * 3000,
        "javascript:alert(1)",
        "",
        "/n/1",
    ],
)
def test_only_pages_of_the_console_are_gone_back_to(elsewhere: str) -> None:
    assert local_path(elsewhere) == "/console/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/console/../n/1"])
async def test_a_link_to_the_login_leads_to_no_other_place_after_it(stranger: Visitor, target: str) -> None:
    page = await stranger.get(f"/console/login?next={quote(target, safe='')}")
    fields = {"login": "tanaka", "password": "himitsu-no-kotoba"}
    assert (await stranger.submit(page, "/console/login", fields)).path == "/console/"
    fields_of_others = [("next", target), *fields.items()]
    answer = await stranger.post("/console/login", fields_of_others, follow=False)
    assert answer.headers["Location"] == "/console/"


async def test_the_cookie_is_kept_from_scripts_and_other_sites(stranger: Visitor) -> None:
    fields = [("login", "tanaka"), ("password", "himitsu-no-kotoba")]
    cookie = (await stranger.post("/console/login", fields, follow=False)).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/console" in cookie
    assert "Max-Age=43200" in cookie


async def test_where_the_pages_are_encrypted_the_cookies_travel_so_and_belong_to_this_host(
    service: Service,
) -> None:
    member = await member_of(service, "tanaka")
    session_id = await session_of(service, member)
    for public_url, prefix, path in (
        ("https://oshirase.example.jp", "__Host-", "/"),
        ("http://127.0.0.1:8080", "", "/console"),
    ):
        settings = service.settings.model_copy(update={"web": WebSettings(public_url=public_url)})
        there = Service(settings, service.context)
        response = web.Response()
        open_session(there, response, member, session_id)
        remember_device(there, response, None, member)
        assert set(response.cookies) == {prefix + COOKIE, prefix + DEVICE}
        for cookie in response.cookies.values():
            assert bool(cookie["secure"]) is bool(prefix)
            assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (path, True, "Lax")
        value = response.cookies[prefix + COOKIE].value
        request = make_mocked_request("GET", "/console/", {"Cookie": f"{prefix}{COOKIE}={value}"})
        assert await current_staff(request, there) == member


async def test_a_member_who_is_disabled_is_out_at_the_next_request(tanaka: Visitor, service: Service) -> None:
    assert (await tanaka.get("/console/")).status == 200
    async with service.database.write() as connection:
        member = await members.find(connection, "tanaka")
        assert member is not None
        await member_changes.disable(connection, member, at=now_ms())
    assert (await tanaka.get("/console/")).path.startswith("/console/login")
    page = await tanaka.log_in()
    assert page.status == 401 and WRONG in page.text


async def test_logging_out_ends_the_session_at_every_desk(tanaka: Visitor, service: Service) -> None:
    kept = tanaka.client.session.cookie_jar.filter_cookies(tanaka.client.make_url("/console/"))[COOKIE].value
    await tanaka.submit(await tanaka.get("/console/"), "/console/logout")
    assert (await tanaka.get("/console/")).path.startswith("/console/login")
    page = await tanaka.get("/console/", Cookie=f"{COOKIE}={kept}")
    assert page.path.startswith("/console/login")


async def test_a_session_ends_after_twelve_hours(stranger: Visitor, service: Service) -> None:
    member = await member_of(service, "tanaka")
    for hours, expected in ((11, "/console/"), (13, "/console/login?next=/console/")):
        response = web.Response()
        with time_machine.travel((now_ms() - hours * HOUR) / 1000):
            open_session(service, response, member, await session_of(service, member))
        value = response.cookies[COOKIE].value
        assert (await stranger.get("/console/", Cookie=f"{COOKIE}={value}")).path == expected


async def test_a_forged_cookie_opens_nothing(stranger: Visitor) -> None:
    page = await stranger.get("/console/", Cookie=f"{COOKIE}=WzEsMV0.aaaaaa.bbbbbbbb")
    assert page.path.startswith("/console/login")


async def test_logging_in_from_another_site_is_refused(stranger: Visitor) -> None:
    fields = [("login", "tanaka"), ("password", "himitsu-no-kotoba")]
    assert (await stranger.post("/console/login", fields, Origin="https://evil.example")).status == 403


async def test_login_logout_and_failures_are_on_record_with_where_they_came_from(service: Service) -> None:
    async with TestClient(TestServer(create_app(service))) as client:
        visitor = Visitor(client)
        await visitor.log_in("my password by mistake", "wrong wrong wrong")
        await visitor.log_in("tanaka", "wrong wrong wrong")
        await visitor.log_in()
        await visitor.submit(await visitor.get("/console/"), "/console/logout")
    member = await member_of(service, "tanaka")
    async with service.database.read() as connection:
        found = await audit.entries(connection)
    assert {entry.source for entry in found} == {"127.0.0.1"}
    assert {(entry.actor, entry.action, entry.subject) for entry in found} == {
        ("tanaka", "staff.logged_out", f"staff {member.id}"),
        ("tanaka", "staff.logged_in", f"staff {member.id}"),
        ("stranger", "staff.login_failed", f"staff {member.id}"),
        ("stranger", "staff.login_failed", ""),
    }
    assert not any("mistake" in str(entry) for entry in found)
