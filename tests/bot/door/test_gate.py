"""What passes the door unchanged, and what does not pass."""

from __future__ import annotations

import asyncio
import json

import pytest
from structlog.testing import capture_logs

from bot.door.headers import HEADERS, SOURCE
from bot.door.limits import LANES

SECRET = "tok3n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /console/login HTTP/1.1\r\nHost: a\r\n"
MALFORMED = {
    "no http at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tok3n\r\n\r\n",
    "another version": b"GET /tok3n HTTP/9.9\r\nHost: a\r\nCookie: tok3n\r\n\r\n",
    "a byte in a name": b"GET / HTTP/1.1\r\nHost: a\r\nCoo\x00kie: tok3n\r\n\r\n",
    "a byte in a value": b"GET / HTTP/1.1\r\nHost: a\r\nCookie: tok3n\x00\r\n\r\n",
    "no host": b"GET /tok3n HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /tok3n HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a line too long": b"GET /tok3n" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header too long": GET + b"Cookie: tok3n" + b"a" * 9000 + b"\r\n\r\n",
    "too many headers": GET + b"".join(b"X-%d: tok3n\r\n" % number for number in range(100)) + b"\r\n",
    "a method of its own": b"TOK3N / HTTP/1.1\r\nHost: a\r\n\r\n",
    "connect": b"CONNECT tok3n:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "trace": b"TRACE /tok3n HTTP/1.1\r\nHost: a\r\n\r\n",
    "a whole address": b"GET http://tok3n/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path that is no UTF-8": b"GET /tok3n%FF HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path with a zero": b"GET /tok3n%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path with a line": b"GET /tok3n%0d%0aX: HTTP/1.1\r\nHost: a\r\n\r\n",
    "a path not escaped": "GET /tok3n１ HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "a fragment": b"GET /tok3n#a HTTP/1.1\r\nHost: a\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\ntok3n",
    "a negative length": POST + b"Content-Length: -5\r\n\r\ntok3n",
    "a length in words": POST + b"Content-Length: five\r\n\r\ntok3n",
    "a length beyond all": POST + b"Content-Length: 99999999999999999999\r\n\r\ntok3n",
    "a length and pieces": POST
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntok3n\r\n0\r\n\r\n",
    "pieces that are packed": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\ntok3n\r\n0\r\n\r\n",
    "a piece without a length": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\ntok3n\r\n0\r\n\r\n",
    "a get with a body": GET + b"Content-Length: 5\r\n\r\ntok3n",
    "a packed body": POST + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\ntok3n",
    "a badly packed body": POST + b"Content-Encoding: deflate\r\nContent-Length: 5\r\n\r\ntok3n",
    "a bomb in pieces": POST
    + b"Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ntok3n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("kind", MALFORMED)
async def test_a_malformed_request_is_refused_at_the_door(open_door, kind: str) -> None:
    opened = await open_door()
    with capture_logs() as lines:
        answer = await opened.say(MALFORMED[kind])
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:100]
    assert opened.pages.seen == []
    head = answer.partition(b"\r\n\r\n")[0].decode()
    for name, value in HEADERS.items():
        assert f"{name}: {value}" in head
    assert "Server: kairanban\r\n" in head
    assert SECRET not in str(lines).lower()
    assert SECRET not in answer.decode().lower()


async def test_two_hundred_malformed_requests_are_one_line_in_the_log(open_door) -> None:
    opened = await open_door()
    with capture_logs() as lines:
        for _ in range(200):
            await opened.say(MALFORMED["a byte in a value"])
    assert [line["event"] for line in lines] == ["request_unreadable"]


async def test_a_request_passes_as_it_is(open_door) -> None:
    opened = await open_door()
    headers = {
        "Cookie": "kairanban_session=abc",
        "X-Line-Signature": "s",
        "Content-Type": "a/b",
        "Host": "town",
    }
    path = "/line/webhook?a=%E3%81%82&b=+%2B"
    async with opened.session.post(
        opened.url + path.replace("%", "%25").replace("%25", "%"), data=b"\x00\xff", headers=headers
    ) as got:
        told = await got.json()
    assert told["method"] == "POST" and told["body"] == "\x00\xff"
    reached = dict(told["headers"])
    assert {name: reached[name] for name in headers} == headers
    assert reached[SOURCE] == "127.0.0.1"


async def test_the_raw_path_is_never_rewritten(open_door) -> None:
    opened = await open_door()
    answer = await opened.say(
        b"GET /a%2Fb/../c//d%20?q=%41%2b+ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["path"] == "/a%2Fb/../c//d%20?q=%41%2b+"


async def test_nobody_says_who_he_is(open_door) -> None:
    opened = await open_door()
    told = await opened.told(
        "/", **{SOURCE: "8.8.8.8", "X-Forwarded-For": "8.8.8.8", "Forwarded": "for=8.8.8.8"}
    )
    reached = [[name.lower(), value] for name, value in told["headers"]]
    assert [value for name, value in reached if name == SOURCE.lower()] == ["127.0.0.1"]
    assert "8.8.8.8" not in str(reached)


async def test_a_trusted_proxy_says_who_it_is(open_door) -> None:
    opened = await open_door(proxies="127.0.0.1, 10.0.0.0/8")
    told = await opened.told("/", **{"X-Forwarded-For": "1.1.1.1, 8.8.8.8, 10.2.3.4"})
    assert dict(told["headers"])[SOURCE] == "8.8.8.8"


async def test_what_belongs_to_one_connection_stays_there(open_door) -> None:
    opened = await open_door()
    answer = await opened.say(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, x-mine, cookie\r\nX-Mine: 1\r\nTE: trailers\r\n"
        b"Upgrade: websocket\r\nCookie: kairanban_session=abc\r\n\r\n"
    )
    names = {name.lower() for name, _ in json.loads(answer.partition(b"\r\n\r\n")[2])["headers"]}
    assert not names & {"x-mine", "te", "upgrade"}
    assert "cookie" in names


async def test_a_body_in_pieces_arrives_whole(open_door) -> None:
    opened = await open_door()
    answer = await opened.say(
        POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["body"] == "abcde"


async def test_a_body_that_grows_too_large_is_refused_while_it_comes(open_door) -> None:
    opened = await open_door()
    answer = await opened.say(
        POST
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"1000\r\n"
        + b"a" * 4096
        + b"\r\n" * 1
        + (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 8
    )
    assert answer.startswith(b"HTTP/1.1 413")
    assert opened.pages.seen == []


async def test_requests_in_a_row_are_answered_in_order(open_door) -> None:
    opened = await open_door()
    words = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(5))
    answer = await opened.say(words + b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 6
    assert [request.path for request in opened.pages.seen] == ["/0", "/1", "/2", "/3", "/4", "/last"]


async def test_an_old_client_is_served_too(open_door) -> None:
    opened = await open_door()
    assert b" 200 " in await opened.say(b"GET / HTTP/1.0\r\n\r\n")


async def test_who_asks_first_whether_it_may_send_is_told(open_door) -> None:
    opened = await open_door()
    answer = await opened.say(
        POST + b"Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
    )
    assert answer.startswith(b"HTTP/1.1 100") and b"HTTP/1.1 200" in answer


async def test_every_cookie_of_an_answer_arrives(open_door) -> None:
    _, _, headers = await (await open_door()).get("/cookies")
    assert len(headers.getall("Set-Cookie")) == 2


async def test_head_tells_the_length_and_sends_nothing(open_door) -> None:
    opened = await open_door()
    async with opened.session.head(f"{opened.url}/large?size=1000") as answer:
        assert answer.headers["Content-Length"] == "1000"
        assert await answer.read() == b""


@pytest.mark.parametrize("size", [0, 1, 65_536, 999_999, 1_000_000, 1_000_001, 5_000_000])
async def test_answers_of_every_size_arrive(open_door, size: int) -> None:
    opened = await open_door(held_answer=1_000_000)
    status, body, _ = await opened.get(f"/large?size={size}")
    assert status == 200 and body == b"a" * size


async def test_a_public_page_is_shown_once_to_everybody_who_comes_at_once(open_door) -> None:
    opened = await open_door()
    answers = await asyncio.gather(*(opened.get("/public") for _ in range(60)))
    assert {status for status, _, _ in answers} == {200}
    assert {body for _, body, _ in answers} == {b"kept"}
    assert len(opened.pages.seen) <= LANES["public"].inside


async def test_what_is_not_public_is_never_kept(open_door) -> None:
    opened = await open_door()
    for _ in range(3):
        await opened.get("/console/")
        await opened.get("/cookies")
    assert len(opened.pages.seen) == 6


async def test_while_nobody_is_inside_visitors_are_told_to_come_again(open_door, tmp_path) -> None:
    opened = await open_door()
    (tmp_path / "pages").unlink()
    status, body, headers = await opened.get("/")
    assert status == 503 and "混み合って" in body.decode() and headers["Retry-After"]
    status, body, _ = await opened.get("/readyz")
    assert status == 503 and b"<" not in body
