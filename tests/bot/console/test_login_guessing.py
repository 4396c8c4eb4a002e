"""Whoever guesses passwords, or comes in a crowd, and whoever is known from before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import time_machine
from aiohttp import TCPConnector, web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from argon2 import PasswordHasher

from bot.app import create_app
from bot.console.devices import COOKIE as DEVICE
from bot.console.devices import device_of, remember_device
from bot.door.headers import SOURCE
from bot.service import Service
from content.clock import DAY
from content.staff import audit, passwords
from tests.bot.console.test_login import WRONG, member_of
from tests.bot.web_visitor import PASSWORD, Page, Visitor
from tests.factories import APRIL_TUESDAY


@pytest.fixture
async def neighbour(stranger: Visitor) -> AsyncIterator[Visitor]:
    """Somebody else, at another address."""
    connector = TCPConnector(local_addr=("127.0.0.2", 0))
    client: TestClient[Any, Any] = TestClient(stranger.client.server, connector=connector)
    yield Visitor(client)
    await client.session.close()


async def test_whoever_guesses_gets_one_answer_for_every_name_and_locks_out_nobody_else(
    stranger: Visitor, neighbour: Visitor
) -> None:
    answers = set()
    for name in ("tanaka", "nobody"):
        for _ in range(7):
            page = await neighbour.log_in(name, "wrong wrong wrong")
            answers.add((page.status, page.text))
    page = await neighbour.log_in()
    answers.add((page.status, page.text))
    assert [(status, text.count(WRONG)) for status, text in answers] == [(401, 1)]
    assert "間違いが続くと、正しいパスワードでも5分ほど" in page.text
    assert (await stranger.log_in()).path == "/console/"


async def test_behind_the_door_each_visitor_counts_by_the_address_that_the_door_found(
    service: Service,
) -> None:
    async with TestClient(TestServer(create_app(service, behind_door=True))) as client:
        visitor = Visitor(client)
        fields = [("login", "tanaka"), ("password", "wrong wrong wrong")]
        for number in range(6):
            source = f"2001:db8:0:1::{number}"
            answer = await visitor.post("/console/login", fields, follow=False, **{SOURCE: source})
            assert answer.status == 401
        fields = [("login", "tanaka"), ("password", PASSWORD)]
        for source, status in (("2001:db8:0:1::9", 401), ("2001:db8:0:2::9", 303)):
            answer = await visitor.post("/console/login", fields, follow=False, **{SOURCE: source})
            assert answer.status == status
    async with service.database.read() as connection:
        failed, entered = await audit.entries(connection)
    assert (entered.action, entered.source) == ("staff.logged_in", "2001:db8:0:2::9")
    assert (failed.source, failed.detail["wrong"], failed.detail["waiting"]) == ("2001:db8:0:1::", 5, 2)


async def test_a_browser_that_has_been_here_before_is_not_kept_waiting(
    stranger: Visitor, service: Service
) -> None:
    await stranger.log_in()
    await stranger.submit(await stranger.get("/console/"), "/console/logout")
    kept = stranger.client.session.cookie_jar.filter_cookies(stranger.client.make_url("/console/login"))
    stranger.client.session.cookie_jar.clear()
    for _ in range(6):
        await stranger.log_in("tanaka", "wrong wrong wrong")
    assert (await stranger.log_in()).status == 401
    stranger.client.session.cookie_jar.update_cookies(
        {DEVICE: kept[DEVICE].value}, stranger.client.make_url("/console/")
    )
    assert (await stranger.log_in("suzuki")).status == 200
    await stranger.submit(await stranger.get("/console/"), "/console/logout")
    assert (await stranger.log_in()).path == "/console/"


async def test_the_device_that_is_known_is_forgotten_after_half_a_year_and_cannot_be_made_up(
    service: Service,
) -> None:
    member = await member_of(service, "tanaka")
    response = web.Response()
    with time_machine.travel(APRIL_TUESDAY / 1000):
        remember_device(service, response, None, member)
    value = response.cookies[DEVICE].value
    for days, expected in ((179, {member.id}), (181, set())):
        with time_machine.travel((APRIL_TUESDAY + days * DAY) / 1000):
            request = make_mocked_request("GET", "/console/login", {"Cookie": f"{DEVICE}={value}"})
            device = device_of(request, service)
            assert device is not None and set(device.members) == expected
    request = make_mocked_request("GET", "/console/login", {"Cookie": f"{DEVICE}={value[:-2]}xx"})
    assert device_of(request, service) is None


async def test_a_crowd_at_the_door_is_asked_to_come_again_at_once(
    stranger: Visitor, neighbour: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The cost that the product has: quick hashes would never stand in line.
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())
    monkeypatch.setattr(passwords, "_NOBODY", PasswordHasher().hash("nobody has this password"))
    crowd = [
        asyncio.create_task(neighbour.post("/console/login", [("login", f"n{n}"), ("password", "x" * 12)]))
        for n in range(40)
    ]
    colleague = asyncio.create_task(_log_in_patiently(stranger))
    answers = [await answer for answer in crowd]
    turned_away = [answer for answer in answers if answer.status == 503]
    assert {answer.status for answer in answers} == {401, 503}
    assert len(turned_away) > 20
    assert "少し待って" in turned_away[0].text and turned_away[0].headers["Retry-After"]
    assert (await colleague).path == "/console/"


async def _log_in_patiently(visitor: Visitor) -> Page:
    """Comes again as the page asks: on a busy machine his own turn may take longer than anybody may wait."""
    for _ in range(10):
        page = await visitor.log_in()
        if page.status != 503:
            break
    return page
