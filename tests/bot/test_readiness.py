"""What the probe of readiness notices of the service behind it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace

import aiohttp
import pytest

from bot.health import probes
from bot.server import running
from bot.service import Service
from bot.settings import WebSettings
from scheduler import rounds, runner
from scheduler.lane import LaneSender
from scheduler.runner import Runner
from tests.bot.web_visitor import Visitor
from tests.journeys.deployment import free_port
from tests.scheduler.scripted import eventually


def served(service: Service) -> Service:
    """On a free port of this machine."""
    listen = f"127.0.0.1:{free_port()}"
    web = WebSettings(listen=listen, public_url=f"http://{listen}")
    return replace(service, settings=service.settings.model_copy(update={"web": web}))


def says(url: str, status: int, words: str) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
            return answer.status == status and words in await answer.text()

    return asked


async def test_a_worker_answers_the_probes_at_an_address_of_its_own(service: Service) -> None:
    listen = served(service).settings.web.listen
    troubles: list[str] = []
    async with probes(service, listen, lambda: troubles):
        assert await says(f"http://{listen}", 200, "ready")()
        troubles.append("sender hangs")
        await eventually(says(f"http://{listen}", 503, "sender hangs"), within=15)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{listen}/console/login") as answer,
        ):
            assert answer.status == 404
    async with probes(service, "", lambda: troubles):
        pass


async def test_a_service_one_of_whose_loops_has_ended_is_not_ready(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ends(_: Runner) -> None:
        await asyncio.sleep(0)

    async with running(served(service)) as url:
        await eventually(says(url, 200, "ready"))
    monkeypatch.setattr(Runner, "_watch_over", ends)
    async with running(served(service)) as url:
        await eventually(says(url, 503, "alarms has ended"))


async def test_a_service_whose_sender_hangs_is_not_ready(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "LATE", 1.5)
    monkeypatch.setattr(runner, "DRAIN", 0.5)

    async def hangs(_: LaneSender, most: int) -> list[object]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(LaneSender, "_claim", hangs)
    async with running(served(service)) as url:
        await eventually(says(url, 503, "sender line urgent hangs"))


async def test_to_be_ready_the_database_must_take_what_is_written(
    stranger: Visitor, service: Service
) -> None:
    """Another connection sees that something was committed; a question alone goes well on a full disk."""
    with closing(sqlite3.connect(service.database.path)) as beside:
        before = beside.execute("PRAGMA data_version").fetchone()
        assert (await stranger.get("/readyz")).status == 200
        assert beside.execute("PRAGMA data_version").fetchone() != before
        beside.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON database_identity "
            "BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
        beside.commit()
    await asyncio.sleep(1.1)
    page = await stranger.get("/readyz")
    assert page.status == 503 and "cannot be written" in page.text and "disk" in page.text
