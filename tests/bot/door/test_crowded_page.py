"""The page that everybody opens at once: asked for once a second, packed, corrected, and there when nobody answers."""

from __future__ import annotations

import asyncio
import gzip

from bot.door.limits import Limits

PAGE = "/n/abc"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def opened_with_clock(open_door):
    clock = Clock()
    return await open_door(clock=clock), clock


async def test_a_crowd_is_one_question_inside_whatever_the_link_was_given_on_its_way(open_door) -> None:
    opened, _ = await opened_with_clock(open_door)
    await opened.get(PAGE)
    crowd = await asyncio.gather(*(opened.get(f"{PAGE}?fbclid={number}") for number in range(60)))
    assert {body.decode() for _, body, _ in crowd} == {opened.pages.words}
    assert len(opened.pages.seen) == 1


async def test_it_is_packed_once_and_plain_for_who_does_not_take_that(open_door) -> None:
    opened, _ = await opened_with_clock(open_door)
    for accepted in ("gzip, deflate, br", "*", "identity", "gzip;q=0, br"):
        # Nothing between us and the bytes may unpack them.
        request = (
            f"GET {PAGE} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {accepted}\r\nConnection: close\r\n\r\n"
        )
        head, _, body = (await opened.say(request.encode())).partition(b"\r\n\r\n")
        assert b"\r\nVary: Accept-Encoding\r\n" in head
        is_packed = b"Content-Encoding: gzip" in head
        assert is_packed is (accepted in ("gzip, deflate, br", "*"))
        assert (gzip.decompress(body) if is_packed else body).decode() == opened.pages.words
        assert len(body) < 200 or not is_packed
    assert len(opened.pages.seen) == 1


async def test_who_has_the_page_is_sent_nothing_until_it_changes(open_door) -> None:
    opened, clock = await opened_with_clock(open_door)
    _, _, headers = await opened.get(PAGE)
    for known in (headers["ETag"], f'"other", {headers["ETag"]}', "*"):
        assert (await opened.get(PAGE, **{"If-None-Match": known}))[:2] == (304, b"")
    assert len(opened.pages.seen) == 1
    opened.pages.words = "訂正しました"
    clock.now += 60
    status, body, changed = await opened.get(PAGE, **{"If-None-Match": headers["ETag"]})
    assert (status, body.decode()) == (200, "訂正しました")
    assert changed["ETag"] != headers["ETag"]


async def test_head_is_answered_from_what_is_kept(open_door) -> None:
    opened, _ = await opened_with_clock(open_door)
    await opened.get(PAGE)
    answer = await opened.say(f"HEAD {PAGE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200") and answer.endswith(b"\r\n\r\n")
    assert len(opened.pages.seen) == 1


async def test_a_correction_is_there_within_two_seconds_and_asked_for_once(open_door) -> None:
    opened, clock = await opened_with_clock(open_door)
    await opened.get(PAGE)
    before, opened.pages.words = opened.pages.words, "訂正しました"
    clock.now += 0.9
    assert (await opened.get(PAGE))[1].decode() == before
    clock.now += 1.1
    crowd = await asyncio.gather(*(opened.get(PAGE) for _ in range(60)))
    assert {body.decode() for _, body, _ in crowd} == {"訂正しました"}
    assert len(opened.pages.seen) == 2


async def test_nobody_waits_while_the_next_one_is_asked_for(open_door) -> None:
    opened, clock = await opened_with_clock(open_door)
    await opened.get(PAGE)
    before, opened.pages.words = opened.pages.words, "訂正しました"
    clock.now += 1.1
    assert (await opened.get(PAGE))[1].decode() == before
    async with asyncio.timeout(10):
        while (await opened.get(PAGE))[1].decode() == before:
            await asyncio.sleep(0.01)
    assert len(opened.pages.seen) == 2


async def test_a_page_is_shown_while_the_process_behind_has_troubles_but_not_for_ever(open_door) -> None:
    opened, clock = await opened_with_clock(open_door)
    await opened.get(PAGE)
    opened.pages.status = 500
    clock.now += 300
    assert (await opened.get(PAGE))[:2] == (200, opened.pages.words.encode())
    clock.now += 400
    assert (await opened.get(PAGE))[0] == 500


async def test_a_page_that_is_gone_is_gone(open_door) -> None:
    opened, clock = await opened_with_clock(open_door)
    await opened.get(PAGE)
    opened.pages.status = 404
    clock.now += 3
    assert (await opened.get(PAGE))[0] == 404


async def test_made_up_addresses_do_not_push_it_out(open_door) -> None:
    opened, _ = await opened_with_clock(open_door)
    await opened.get(PAGE)
    for number in range(130):
        await opened.get(f"/public?{number}")
        await opened.get(PAGE)
    assert sum(request.path == PAGE for request in opened.pages.seen) == 1


async def test_what_a_visitor_says_of_himself_never_reaches_a_page_for_all(open_door) -> None:
    opened, clock = await opened_with_clock(open_door)
    await opened.get(PAGE)
    clock.now += 10
    await opened.get(PAGE, Cookie="kairanban_session=1", **{"Accept-Language": "en"})
    assert "Cookie" not in opened.pages.seen[1].headers


PLAIN = (
    f"GET {PAGE}?utm_source=line HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0\r\n"
    "Upgrade-Insecure-Requests: 1\r\nAccept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\n\r\n"
).encode()
LONG_WAY = {
    "a part of the page": PLAIN[:-2] + b"Range: bytes=0-10\r\n\r\n",
    "what is known": PLAIN[:-2] + b'If-None-Match: "a"\r\n\r\n',
    "two hosts": PLAIN[:-2] + b"Host: b\r\n\r\n",
    "no host": PLAIN.replace(b"Host: a\r\n", b""),
    "a body": PLAIN[:-2] + b"Content-Length: 3\r\n\r\n",
    "a body in pieces": PLAIN[:-2] + b"Transfer-Encoding: chunked\r\n\r\n",
    "the end of the connection": PLAIN.replace(b"keep-alive", b"close"),
    "plain text": PLAIN.replace(b"gzip, ", b""),
    "no packing": PLAIN.replace(b"gzip, ", b"gzip;q=0, "),
    "two questions": PLAIN + PLAIN,
    "half a question": PLAIN[:-2],
    "a path in disguise": PLAIN.replace(b"/n/", b"/%6e/"),
    "another path": PLAIN.replace(b"/n/", b"/console/"),
    "another method": PLAIN.replace(b"GET", b"HEAD"),
    "another version": PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a folded header": PLAIN[:-2] + b"X-A: b\r\n c\r\n\r\n",
    "a lonely line feed": PLAIN.replace(b"\r\nHost", b"\nHost"),
    "a zero": PLAIN.replace(b"Mozilla", b"Moz\x00lla"),
    "a name with a blank": PLAIN[:-2] + b"X-A : b\r\n\r\n",
}


def asked_at_once(opened, data: bytes) -> bytes | None:
    return opened.door.short_way(data)


async def test_a_browsers_question_is_answered_at_once_as_the_long_way_answers_it(open_door) -> None:
    opened, _ = await opened_with_clock(open_door)
    assert asked_at_once(opened, PLAIN) is None
    await opened.get(PAGE)
    at_once = asked_at_once(opened, PLAIN)
    long = await opened.say(PLAIN.replace(b"keep-alive", b"close"))
    assert sorted(at_once.split(b"\r\n")) == sorted(
        long.replace(b"Connection: close\r\n", b"").split(b"\r\n")
    )


async def test_anything_out_of_the_ordinary_goes_the_long_way(open_door) -> None:
    opened, _ = await opened_with_clock(open_door)
    await opened.get(PAGE)
    assert [kind for kind, data in LONG_WAY.items() if asked_at_once(opened, data) is not None] == []


async def test_one_connection_may_change_its_ways(open_door) -> None:
    opened, _ = await opened_with_clock(open_door)
    await opened.get(PAGE)
    reader, writer = await asyncio.open_connection("127.0.0.1", opened.port)
    for question in (PLAIN, PLAIN, LONG_WAY["what is known"], PLAIN):
        writer.write(question)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
    writer.close()
    assert len(opened.pages.seen) == 1


async def test_who_asks_again_and_again_keeps_the_connection_and_who_falls_silent_does_not(open_door) -> None:
    opened, _ = await opened_with_clock(open_door)
    opened.door.limits = Limits(head_within=0.4)
    await opened.get(PAGE)
    reader, writer = await asyncio.open_connection("127.0.0.1", opened.port)
    async with asyncio.timeout(10):
        for _ in range(6):
            writer.write(PLAIN)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
            await asyncio.sleep(0.1)
        assert await reader.read() == b""
    writer.close()
