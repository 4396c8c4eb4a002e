"""Probes, headers and error pages."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from bot.app import create_app
from bot.service import Service, open_town_context
from bot.settings import LINE_API, LineSettings, Settings
from tests.bot.web_visitor import Visitor


async def test_the_process_is_alive_even_without_its_database(stranger: Visitor, service: Service) -> None:
    assert (await stranger.get("/healthz")).status == 200
    assert (await stranger.get("/readyz")).status == 200


async def test_readiness_needs_the_database(stranger: Visitor, service: Service) -> None:
    await service.database.close()
    service.database.path.unlink()
    service.database.path.mkdir()
    assert (await stranger.get("/readyz")).status == 503
    assert (await stranger.get("/healthz")).status == 200
    page = await stranger.get("/n/1")
    assert page.status == 500
    assert "画面を表示できませんでした" in page.text and "went wrong on our side" in page.text


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
