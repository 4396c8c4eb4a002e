"""Logging in, being locked out, and sessions that end."""

from __future__ import annotations

import pytest
import time_machine
from aiohttp import web

from bot.console.login import local_path
from bot.console.sessions import COOKIE, open_session
from bot.service import Service
from bot.settings import WebSettings
from content.clock import HOUR, now_ms
from content.staff import audit, members
from tests.bot.web_visitor import Visitor

WRONG = "ログイン名かパスワードが違います。"


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
        assert answer.status == 400
        assert "送られた内容を読み取れません" in await answer.text()


async def test_five_wrong_passwords_lock_the_login_and_say_until_when(stranger: Visitor) -> None:
    for _ in range(5):
        await stranger.log_in("tanaka", "wrong wrong wrong")
    page = await stranger.log_in()
    assert page.status == 429
    assert "までログインできません" in page.text
    assert (await stranger.log_in("suzuki")).path == "/console/"


async def test_a_page_without_a_session_asks_to_log_in_and_comes_back(stranger: Visitor) -> None:
    page = await stranger.get("/console/reports?format=")
    assert page.path.startswith("/console/login?next=")
    fields = {"login": "tanaka", "password": "himitsu-no-kotoba"}
    assert (await stranger.submit(page, "/console/login", fields)).path == "/console/reports?format="


def test_only_pages_of_the_console_are_gone_back_to() -> None:
    assert local_path("/console/notices/3") == "/console/notices/3"
    for elsewhere in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/console/\r\nX: y",
        "",
        "/n/1",
    ):
        assert local_path(elsewhere) == "/console/"


async def test_the_cookie_is_kept_from_scripts_and_other_sites(stranger: Visitor) -> None:
    fields = [("login", "tanaka"), ("password", "himitsu-no-kotoba")]
    cookie = (await stranger.post("/console/login", fields, follow=False)).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/console" in cookie
    assert "Max-Age=43200" in cookie


async def test_the_cookie_travels_encrypted_only_where_the_pages_do(service: Service) -> None:
    async with service.database.read() as connection:
        member = await members.find(connection, "tanaka")
    assert member is not None
    for public_url, secure in (("https://oshirase.example.jp", True), ("http://127.0.0.1:8080", False)):
        settings = service.settings.model_copy(update={"web": WebSettings(public_url=public_url)})
        response = web.Response()
        open_session(Service(settings, service.context), response, member)
        assert bool(response.cookies[COOKIE]["secure"]) is secure


async def test_logging_out_ends_the_session_at_every_desk(tanaka: Visitor, service: Service) -> None:
    kept = tanaka.client.session.cookie_jar.filter_cookies(tanaka.client.make_url("/console/"))[COOKIE].value
    await tanaka.submit(await tanaka.get("/console/"), "/console/logout")
    assert (await tanaka.get("/console/")).path.startswith("/console/login")
    page = await tanaka.get("/console/", Cookie=f"{COOKIE}={kept}")
    assert page.path.startswith("/console/login")


async def test_a_session_ends_after_twelve_hours(stranger: Visitor, service: Service) -> None:
    async with service.database.read() as connection:
        member = await members.find(connection, "tanaka")
    assert member is not None
    for hours, expected in ((11, "/console/"), (13, "/console/login?next=/console/")):
        response = web.Response()
        with time_machine.travel((now_ms() - hours * HOUR) / 1000):
            open_session(service, response, member)
        value = response.cookies[COOKIE].value
        assert (await stranger.get("/console/", Cookie=f"{COOKIE}={value}")).path == expected


async def test_a_forged_cookie_opens_nothing(stranger: Visitor) -> None:
    page = await stranger.get("/console/", Cookie=f"{COOKIE}=WzEsMV0.aaaaaa.bbbbbbbb")
    assert page.path.startswith("/console/login")


async def test_logging_in_from_another_site_is_refused(stranger: Visitor) -> None:
    fields = [("login", "tanaka"), ("password", "himitsu-no-kotoba")]
    assert (await stranger.post("/console/login", fields, Origin="https://evil.example")).status == 403


async def test_login_and_logout_are_on_record(stranger: Visitor, service: Service) -> None:
    await stranger.log_in()
    await stranger.submit(await stranger.get("/console/"), "/console/logout")
    async with service.database.read() as connection:
        found = [(entry.actor, entry.action) for entry in await audit.entries(connection)]
    assert found == [("tanaka", "staff.logged_out"), ("tanaka", "staff.logged_in")]
