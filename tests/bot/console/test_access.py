"""Who may open what, and requests that another site made the browser send."""

from __future__ import annotations

from typing import Any

from bot.app import create_app
from bot.console.access import ALL_PERMISSIONS
from bot.service import Service
from content.notices import notices
from content.notices.notices import Notice
from tests.bot.console.test_who_may_what import OPEN_TO_ALL
from tests.bot.web_visitor import Visitor
from tests.factories import make_notice


async def all_notices(service: Service) -> list[Notice]:
    async with service.database.read() as connection:
        return await notices.recent(connection)


async def test_every_console_route_but_the_login_has_a_permission(service: Service) -> None:
    routes = [
        route
        for route in create_app(service).router.routes()
        if route.resource and route.resource.canonical.startswith("/console")
    ]
    guarded = {
        route for route in routes if set(getattr(route.handler, "permissions", [""])) <= ALL_PERMISSIONS
    }
    assert len(guarded) > 15
    assert {
        route.resource.canonical for route in routes if route not in guarded and route.resource
    } == OPEN_TO_ALL


async def test_every_form_that_changes_something_needs_more_than_seeing(service: Service) -> None:
    changing = {
        route.resource.canonical: route.handler.permissions
        for route in create_app(service).router.routes()
        if route.method == "POST" and route.resource and hasattr(route.handler, "permissions")
    }
    # What concerns oneself alone is open to everybody who may enter.
    own = {path: needed for path, needed in changing.items() if needed == ("see",)}
    assert all(path == "/console/logout" or path.startswith("/console/account") for path in own)
    assert changing["/console/notices/{id}/approve"] == ("approve", "send_urgent")
    assert changing["/console/notices/{id}/release"] == ("approve", "send_urgent")


async def test_a_viewer_sees_lists_and_reports_and_cannot_write(kikaku: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection, approved=False)
    home = await kikaku.get("/console/")
    assert home.status == 200
    assert "/console/notices/new" not in home.html
    assert (await kikaku.get("/console/reports")).status == 200
    page = await kikaku.get(f"/console/notices/{notice_id}")
    assert page.status == 200
    assert f"/console/notices/{notice_id}/" not in page.html.replace("/progress", "")
    for path in ("/console/notices/new", f"/console/notices/{notice_id}/edit"):
        refused = await kikaku.get(path)
        assert refused.status == 403
        assert "管理者に権限の変更を頼んでください" in refused.text


async def test_a_viewer_cannot_approve_even_with_a_form_of_somebody_else(
    kikaku: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection, approved=False)
    token = dict((await kikaku.get("/console/")).form("/console/logout"))["csrf"]
    fields = [("csrf", token), ("word", "配信"), ("version", "1")]
    assert (await kikaku.post(f"/console/notices/{notice_id}/approve", fields)).status == 403
    assert (await all_notices(service))[0].state == "draft"


async def test_a_form_without_its_token_does_nothing_and_says_what_to_do(
    tanaka: Visitor, service: Service
) -> None:
    page = await tanaka.get("/console/notices/new")
    fields = [(name, value) for name, value in page.form("/console/notices/new") if name != "csrf"]
    for token in ([], [("csrf", "made up")]):
        answer = await tanaka.post("/console/notices/new", [*fields, *token])
        assert answer.status == 403
        assert "再読み込みしてから、もう一度押してください" in answer.text
    assert await all_notices(service) == []


async def test_another_site_cannot_make_the_browser_send_a_form(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get("/console/notices/new")
    fields = page.form("/console/notices/new")
    for name, value in (
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Origin", "null"),
    ):
        header: dict[str, Any] = {name: value}
        assert (await tanaka.post("/console/notices/new", fields, **header)).status == 403
    assert await all_notices(service) == []


async def test_a_form_sent_after_the_session_ended_is_told_how_to_be_kept(
    tanaka: Visitor, service: Service
) -> None:
    page = await tanaka.get("/console/notices/new")
    tanaka.client.session.cookie_jar.clear()
    typed = {"title.ja": "件名", "body.ja": "本文", "category": "kosodate"}
    answer = await tanaka.submit(page, "/console/notices/new", typed)
    assert answer.status == 401
    assert "この画面に残っています" in answer.text
    await tanaka.log_in()
    again = await tanaka.submit(page, "/console/notices/new", typed)
    assert again.path.endswith("/confirm")
