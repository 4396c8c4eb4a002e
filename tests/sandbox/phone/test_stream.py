"""The one event stream that carries all phones of a page."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.sandbox.phone.phone_fake import FakeSandbox
from tests.sandbox.phone.phone_messages import text

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for raw in answer.content:
        line = raw.decode().strip()
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@pytest_asyncio.fixture(loop_scope="session")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


async def test_events_of_all_phones_arrive_with_their_owner(
    session: aiohttp.ClientSession, origin: str, sandbox: FakeSandbox, users: list[str]
) -> None:
    async with session.get(f"{origin}/_sandbox/phones/events?ids={','.join(users)}") as answer:
        stream = events(answer)
        assert await anext(stream) == ("ready", {})
        sandbox.deliver(users[1], text("こんにちは"))
        sandbox.emit(users[0], "typing", {"seconds": 5})
        first, second = await anext(stream), await anext(stream)
    owners = {first[1]["userId"]: first[1]["event"], second[1]["userId"]: second[1]["event"]}
    assert owners == {users[1]: "message", users[0]: "typing"}


async def test_an_unknown_resident_does_not_silence_the_others(
    session: aiohttp.ClientSession, origin: str, sandbox: FakeSandbox, users: list[str]
) -> None:
    async with session.get(f"{origin}/_sandbox/phones/events?ids={users[0]},Unobody") as answer:
        stream = events(answer)
        assert await anext(stream) == ("ready", {})
        sandbox.deliver(users[0], text("こんにちは"))
        assert (await anext(stream))[1]["data"]["object"]["text"] == "こんにちは"


async def test_the_stream_ends_with_the_phones_streams_so_that_the_browser_reconnects(
    session: aiohttp.ClientSession, origin: str, sandbox: FakeSandbox, users: list[str]
) -> None:
    async with session.get(f"{origin}/_sandbox/phones/events?ids={users[0]}") as answer:
        stream = events(answer)
        await anext(stream)
        sandbox.hang_up()
        async with asyncio.timeout(60):
            assert [event async for event in stream] == []


@pytest.mark.parametrize("count", [0, 13])
async def test_a_stream_carries_one_to_twelve_phones(
    session: aiohttp.ClientSession, origin: str, count: int
) -> None:
    ids = ",".join(f"u{number}" for number in range(count))
    async with session.get(f"{origin}/_sandbox/phones/events?ids={ids}") as answer:
        assert answer.status == 400
