"""Many at the door at once: who waits, who goes, and who is never kept waiting."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress

from bot.door.guests import Guests
from bot.door.limits import LANES

ENOUGH = 60.0


async def until(held, what: str) -> None:
    async with asyncio.timeout(ENOUGH):
        while not held():
            await asyncio.sleep(0.01)


def is_closed(raw: socket.socket) -> bool:
    with suppress(BlockingIOError):
        try:
            return raw.recv(65536) == b""
        except ConnectionError:
            return True
    return False


async def test_a_connection_that_says_nothing_is_closed(open_door) -> None:
    opened = await open_door(head_within=0.2)
    silent = opened.connect()
    await until(lambda: is_closed(silent), "closing")


async def test_a_head_that_comes_byte_by_byte_is_not_waited_for(open_door) -> None:
    opened = await open_door(head_within=0.5)
    slow, begun = opened.connect(), time.monotonic()
    closed = False
    while not closed and time.monotonic() - begun < ENOUGH:
        with suppress(ConnectionError):
            slow.send(b"G" if time.monotonic() - begun < 0.1 else b"a")
        closed = is_closed(slow)
        await asyncio.sleep(0.05)
    assert closed
    assert opened.pages.seen == []


async def test_a_second_request_has_its_time_as_well(open_door) -> None:
    opened = await open_door(head_within=0.3)
    kept = opened.connect()
    kept.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
    await until(lambda: opened.pages.seen, "the first")
    await until(lambda: is_closed(kept), "closing")
    assert len(opened.pages.seen) == 1


async def test_a_body_that_stops_half_way_is_told_so(open_door) -> None:
    opened = await open_door(body_within=0.3)
    answer = await opened.say(b"POST /console/login HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nlogin=")
    assert answer.startswith(b"HTTP/1.1 408")
    assert "もう一度送ってください" in answer.decode()
    assert opened.pages.seen == []


async def test_who_does_not_read_is_not_waited_for(open_door) -> None:
    opened = await open_door(read_within=0.3, held_answer=100_000)
    for path in (b"/large?size=90000000", b"/large?size=50000000"):
        lazy = opened.connect()
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.send(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        await until(lambda: opened.pages.seen, "the request")
        await until(lambda: len(opened.door.guests) == 0, "leaving")
        lazy.close()


async def test_a_newcomer_takes_the_place_of_the_longest_idle(open_door) -> None:
    opened = await open_door(connections=10, connections_each=100)
    idle = [opened.connect() for _ in range(10)]
    await until(lambda: len(opened.door.guests) == 10, "everybody")
    status, _, _ = await opened.get("/")
    assert status == 200
    await until(lambda: is_closed(idle[0]), "the first")
    assert len(opened.door.guests) <= 10


async def test_an_address_that_takes_too_much_only_pushes_itself_out(open_door) -> None:
    opened = await open_door(connections=100, connections_each=5)
    first = opened.connect()
    await until(lambda: len(opened.door.guests) == 1, "the first")
    others = [opened.connect() for _ in range(20)]
    await until(lambda: is_closed(first), "the first to go")
    await until(lambda: sum(is_closed(raw) for raw in others) >= 15, "most of them to go")
    assert len(opened.door.guests) == 5


async def test_a_proxy_is_no_crowd(open_door) -> None:
    opened = await open_door(proxies="127.0.0.0/8", connections=100, connections_each=5)
    many = [opened.connect() for _ in range(20)]
    await until(lambda: len(opened.door.guests) == 20, "everybody")
    assert not any(is_closed(raw) for raw in many)


async def test_who_waits_for_an_answer_is_never_sent_away(open_door) -> None:
    opened = await open_door(connections=6, connections_each=100)
    asked = asyncio.create_task(opened.get("/held"))
    await until(lambda: opened.pages.seen, "the request")
    crowd = [opened.connect() for _ in range(30)]
    await until(lambda: sum(is_closed(raw) for raw in crowd) >= 25, "the crowd to go")
    opened.pages.hold.set()
    assert (await asked)[0] == 200


async def test_a_flood_of_public_pages_keeps_nobody_else_out(open_door) -> None:
    opened = await open_door(wait_within=1.0)
    flood = [asyncio.create_task(opened.get("/held")) for _ in range(60)]
    await until(lambda: opened.pages.at_once == LANES["public"].inside, "a full lane")
    for path in ("/healthz", "/console/", "/console/login", "/line/webhook", "/api/v1/notices"):
        assert (await opened.get(path))[0] == 200
    assert opened.pages.most_at_once == LANES["public"].inside + 1
    await until(lambda: sum(task.done() for task in flood) >= 60 - LANES["public"].inside, "refusals")
    opened.pages.hold.set()
    statuses = [(await task)[0] for task in flood]
    assert statuses.count(200) == LANES["public"].inside and set(statuses) == {200, 503}


async def test_bodies_of_all_visitors_together_have_a_limit(open_door) -> None:
    opened = await open_door(bodies=1_000_000)
    large = b"a" * 900_000
    first = asyncio.create_task(opened.session.post(f"{opened.url}/line/held", data=large))
    await asyncio.sleep(0)

    async def send() -> int:
        async with opened.session.post(f"{opened.url}/line/webhook", data=large) as answer:
            return answer.status

    async with opened.session.post(f"{opened.url}/console/login", data=b"a") as answer:
        assert answer.status == 200
    opened.pages.hold.set()
    (await first).close()
    assert await send() in (200, 413)


def test_guests_are_counted_by_household_and_leave_no_trace() -> None:
    class Someone:
        def send_away(self) -> None:
            guests.leaves(self)

    guests = Guests(3, 2)
    one, two, three, four = Someone(), Someone(), Someone(), Someone()
    assert guests.admit(one, "a") and guests.admit(two, "a")
    guests.is_served(one)
    guests.is_served(two)
    assert not guests.admit(three, "a")
    assert guests.admit(three, "b")
    assert guests.admit(four, "c")
    assert len(guests) == 3
    for someone in (one, two, three, four):
        guests.leaves(someone)
        guests.leaves(someone)
        guests.waits(someone)
    assert len(guests) == 0 and not guests._waiting and not guests._longest and not guests._count
