"""Probes, headers and error pages."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import event
from structlog.testing import capture_logs
from yarl import URL

from bot.app import create_app
from bot.door.headers import HEADERS
from bot.health import ANSWER_HOLDS
from bot.service import Service, open_town_context
from bot.settings import LINE_API, LineSettings, Settings, WebSettings
from content.clock import HOUR, now_ms
from tests.bot.web_visitor import Visitor

# Every page that reads its query, and the names it reads.
QUERIES = {
    "/console/login": ["next"],
    "/console/": ["before", "note"],
    "/console/notices": ["before", "note"],
    "/console/notices/new": ["urgency", "template"],
    "/console/notices/1": ["note"],
    "/console/reports": ["year", "format"],
    "/console/reports/indicators/touroku": ["year", "format"],
}


async def test_the_process_is_alive_even_without_its_database(stranger: Visitor, service: Service) -> None:
    assert (await stranger.get("/healthz")).status == 200
    page = await stranger.get("/readyz")
    assert page.status == 200, page.text


@pytest.mark.parametrize(
    ("alone", "status", "words"), [(True, 200, "ready; the clock was set by 1"), (False, 503, "s ahead of")]
)
async def test_readiness_tells_of_a_clock_that_was_set(
    stranger: Visitor,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    alone: bool,
    status: int,
    words: str,
) -> None:
    """A process alone on SQLite goes on, one of several leaves it to the others."""
    monkeypatch.setattr(service.database.clock, "_wall", lambda: now_ms() + 3 * HOUR)
    monkeypatch.setattr(type(service.database), "stands_aside", not alone)
    page = await stranger.get("/readyz")
    assert page.status == status and words in page.text


async def test_readiness_needs_the_database(stranger: Visitor, service: Service) -> None:
    await service.database.close()
    service.database.path.unlink()
    service.database.path.mkdir()
    assert (await stranger.get("/readyz")).status == 503
    assert (await stranger.get("/healthz")).status == 200
    page = await stranger.get("/n/1")
    assert page.status == 500
    assert "画面を表示できませんでした" in page.text and "went wrong on our side" in page.text


async def test_a_process_whose_loops_ended_is_not_ready(service: Service) -> None:
    ended: list[str] = []
    async with TestClient(TestServer(create_app(service, loop_troubles=lambda: ended))) as client:
        assert (await Visitor(client).get("/readyz")).status == 200
        ended.append("sender")
        await asyncio.sleep(ANSWER_HOLDS)
        page = await Visitor(client).get("/readyz")
        assert page.status == 503 and "sender" in page.text
        assert (await Visitor(client).get("/healthz")).status == 200


async def test_many_who_ask_at_once_cost_one_turn(stranger: Visitor, service: Service) -> None:
    turns: list[int] = []
    event.listen(service.database.engine.sync_engine, "begin", lambda _: turns.append(1))
    pages = await asyncio.gather(*(stranger.get("/readyz") for _ in range(30)))
    assert {page.status for page in pages} == {200}
    assert len(turns) < 10


@pytest.mark.parametrize("path", ["/", "/console/login", "/console/", "/n/1", "/nowhere", "/unsubscribe/x"])
async def test_every_page_carries_the_protecting_headers(tanaka: Visitor, path: str) -> None:
    page = await tanaka.get(path)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'") and "unsafe" not in policy
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script>" not in page.html and " style=" not in page.html and " onclick=" not in page.html


@pytest.mark.parametrize("path", ["/", "/console/login", "/n/1", "/nowhere", "/healthz", "/static/none.css"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
async def test_every_answer_protects_and_no_answer_tells_a_version(
    stranger: Visitor, path: str, method: str
) -> None:
    async with stranger.client.request(method, path, allow_redirects=False) as answer:
        assert {name: answer.headers.get(name) for name in HEADERS if name != "Cache-Control"} == {
            name: value for name, value in HEADERS.items() if name != "Cache-Control"
        }
        assert not any(char.isdigit() for char in answer.headers["Server"])
        if answer.status == 405:
            assert "GET" in answer.headers["Allow"]


async def test_browsers_that_came_by_https_shall_stay_there(service: Service) -> None:
    web_settings = WebSettings(public_url="https://oshirase.example.jp")
    settings: Settings = service.settings.model_copy(update={"web": web_settings})
    public = Service(settings, open_town_context(settings, service.town, service.database, service.keys))
    async with TestClient(TestServer(create_app(public))) as client:
        page = await Visitor(client).get("/")
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_another_method_is_told_which_ones_there_are(stranger: Visitor, method: str) -> None:
    for path in ("/", "/n/1", "/healthz"):
        async with stranger.client.request(method, path) as answer:
            assert answer.status == 405
            assert "GET" in answer.headers["Allow"]
    async with stranger.client.get("/line/webhook") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/console/login", "/n/1", "/healthz", "/static/kairanban.css"])
async def test_head_is_get_without_the_body(stranger: Visitor, path: str) -> None:
    async with stranger.client.get(path) as got, stranger.client.head(path) as head:
        assert head.status == got.status
        assert head.headers.get("Content-Type") == got.headers.get("Content-Type")
        assert await head.read() == b""


@pytest.mark.parametrize(
    "number",
    [
        "%D9%A3",
        "1%EF%BC%91",
        "%EF%BC%91",
        "-1",
        "1.0",
        "1e3",
        "0x1",
        "9" * 18,
        "9" * 19,
        "9" * 400,
        "1%00",
        "%31%2f",
    ],
)
async def test_what_is_no_number_of_ours_is_not_found(tanaka: Visitor, number: str) -> None:
    for path in (
        "/n/{}",
        "/console/notices/{}",
        "/console/notices/{}/confirm",
        "/console/notices/{}/progress",
    ):
        url = URL(tanaka.client.make_url("/")).joinpath(path.format(number).lstrip("/"), encoded=True)
        async with tanaka.client.session.get(url, allow_redirects=False) as answer:
            assert answer.status == 404, path


@pytest.mark.parametrize("value", ["９", "9" * 30, "-1", "%00", "%FF", "a=b", "", "[]", "'", "%F0%9F%98%80"])
async def test_no_query_breaks_a_page(tanaka: Visitor, value: str) -> None:
    for path, names in QUERIES.items():
        for name in names:
            url = f"{tanaka.client.make_url(path)}?{name}={value}"
            async with tanaka.client.session.get(URL(url, encoded=True), allow_redirects=False) as answer:
                assert answer.status < 500, (path, name)


@pytest.mark.parametrize(
    "cookie",
    [
        "kairanban_session=x",
        "kairanban_session=",
        "=",
        ";;;",
        'kairanban_session="\\777',
        "a" * 4000,
        "k=\xff",
    ],
)
async def test_no_cookie_breaks_a_page(stranger: Visitor, cookie: str) -> None:
    page = await stranger.get("/console/login", Cookie=cookie)
    assert page.status == 200
    async with stranger.client.get("/console/", headers={"Cookie": cookie}, allow_redirects=False) as answer:
        assert answer.status == 303


async def test_static_files_may_be_kept(stranger: Visitor) -> None:
    page = await stranger.get("/static/kairanban.css")
    assert page.status == 200
    assert page.headers["Cache-Control"] == "public, max-age=86400"


async def test_the_sandbox_is_announced_on_every_console_page_and_only_then(
    tanaka: Visitor, service: Service
) -> None:
    for path in ("/console/login", "/console/", "/console/notices/new", "/console/reports", "/console/none"):
        assert "SANDBOX – LINEには送信されません" in (await tanaka.get(path)).text
    settings: Settings = service.settings.model_copy(update={"line": LineSettings(api_base=LINE_API)})
    live = Service(settings, open_town_context(settings, service.town, service.database, service.keys))
    async with TestClient(TestServer(create_app(live))) as client:
        assert "SANDBOX" not in (await Visitor(client).get("/console/login")).text


async def test_a_failure_is_logged_without_what_was_sent(stranger: Visitor, service: Service) -> None:
    token = service.keys.sign("unsubscribe", "7")
    await service.database.close()
    service.database.path.unlink()
    service.database.path.mkdir()
    with capture_logs() as lines:
        assert (await stranger.post(f"/unsubscribe/{token}", [("secret", "words")])).status == 500
    (line,) = lines
    assert line["event"] == "request_failed" and line["route"] == "/unsubscribe/{token}"
    assert token not in str(line) and "words" not in str(line)


async def test_the_webhook_of_line_is_mounted(service: Service) -> None:
    paths = {resource.canonical for resource in create_app(service).router.resources()}
    assert "/line/webhook" in paths
