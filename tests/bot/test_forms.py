"""What a browser, or somebody who only looks like one, may send to any page that takes a form."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bot.app import create_app
from bot.door.body_limits import body_limit
from bot.forms import FORM, MOST_FIELDS
from bot.service import Service
from tests.bot.web_visitor import Visitor

LOGIN = "/console/login"
BOT = Path(__file__).parents[2] / "bot"
# Bodies that no page of ours sends, and the answer.
HOSTILE = {
    "punycode": (f"{FORM}; charset=punycode", b"login=e28h" + b"a" * 4000, 415),
    "unicode_escape": (f"{FORM}; charset=unicode_escape", b"login=\\ud800\\x", 415),
    "utf-7": (f"{FORM}; charset=utf-7", b"login=+2AA-", 415),
    "rot13": (f"{FORM}; charset=rot13", b"login=a", 415),
    "idna": (f"{FORM}; charset=idna", b"login=" + b"a" * 4000, 415),
    "utf-16": (f"{FORM}; charset=utf-16", b"login=a", 415),
    "no such charset": (f"{FORM}; charset=none-such", b"login=a", 415),
    "multipart": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="login"',
        415,
    ),
    "multipart with a charset of its own": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="login"\r\n'
        b"Content-Type: text/plain; charset=punycode\r\n\r\ne28haaaa\r\n--x--\r\n",
        415,
    ),
    "json": ("application/json", b'{"login": "a"}', 415),
    "no form at all": ("application/octet-stream", b"\x00\xff", 415),
    "bytes that are no UTF-8": (FORM, b"login=\xff\xfe", 400),
    "escapes that are no UTF-8": (FORM, b"login=%FF%FE&password=a", 400),
    "half an emoji": (FORM, b"login=%ED%A0%80", 400),
    "too many fields": (FORM, b"&".join([b"a=1"] * (MOST_FIELDS + 1)), 400),
}


def form_paths(service: Service) -> list[str]:
    """Every address that takes a POST, with something in the place of its variables."""
    found = []
    for route in create_app(service).router.routes():
        if route.method == "POST" and route.resource is not None:
            found.append(route.resource.canonical.replace("{id}", "1").replace("{token}", "x"))
    return found


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_body_that_is_no_form_in_utf_8_is_refused_with_a_page(stranger: Visitor, kind: str) -> None:
    content_type, body, status = HOSTILE[kind]
    page = await stranger.send_raw(LOGIN, body, content_type)
    assert page.status == status
    assert "もう一度送ってください" in page.text


@pytest.mark.parametrize("kind", HOSTILE)
async def test_no_address_that_takes_a_post_breaks_over_it(
    tanaka: Visitor, service: Service, kind: str
) -> None:
    content_type, body, _ = HOSTILE[kind]
    for path in form_paths(service):
        page = await tanaka.send_raw(path, body, content_type)
        assert 400 <= page.status < 500, (path, page.status)


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"', "; Charset=UTF8"])
async def test_utf_8_may_be_named_in_every_way(stranger: Visitor, charset: str) -> None:
    page = await stranger.send_raw(LOGIN, "login=田中&password=x".encode(), FORM + charset)
    assert page.status == 401
    assert 'value="田中"' in page.html


async def test_a_form_may_be_as_large_as_its_page_needs_and_no_larger(stranger: Visitor) -> None:
    fitting = b"login=" + b"a" * (body_limit(LOGIN) - 6)
    assert (await stranger.send_raw(LOGIN, fitting, FORM)).status == 401
    page = await stranger.send_raw(LOGIN, fitting + b"a", FORM)
    assert page.status == 413
    assert "大きすぎます" in page.text


async def test_a_body_that_does_not_say_its_length_has_the_same_limit(stranger: Visitor) -> None:
    async def pieces():
        for _ in range(body_limit(LOGIN) // 1000 + 1):
            yield b"a" * 1000

    page = await stranger.send_raw(LOGIN, pieces(), FORM)
    assert page.status == 413


@pytest.mark.parametrize("encoding", ["gzip", "x-anything", "gzip, gzip"])
async def test_a_packed_body_is_never_unpacked(tanaka: Visitor, service: Service, encoding: str) -> None:
    body = gzip.compress(b"a" * 4_000_000)
    for path in [LOGIN, "/console/notices/new", "/line/webhook"]:
        page = await tanaka.send_raw(path, body, FORM, **{"Content-Encoding": encoding})
        assert page.status in (400, 415), path


async def test_without_a_body_there_are_no_fields(stranger: Visitor) -> None:
    async with stranger.client.post(LOGIN) as answer:
        assert answer.status == 401


async def test_one_click_of_a_mail_program_may_be_a_multipart_form(stranger: Visitor) -> None:
    """RFC 8058 allows it; the address alone is the permission, so its body is never read."""
    body = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    page = await stranger.send_raw("/unsubscribe/nothing", body, "multipart/form-data; boundary=x")
    assert page.status == 404


def test_nobody_else_reads_a_body() -> None:
    """Each of these decodes with the charset that the client names."""
    for path in BOT.rglob("*.py"):
        # The form with a picture takes UTF-8 alone, part by part, see test_pictures.py.
        if path.name in ("forms.py", "multipart.py") or path.parent.name in ("door", "demo"):
            continue
        text = path.read_text(encoding="utf-8")
        for reading in (
            "request.post()",
            "request.json(",
            "request.text(",
            "request.read(",
            "request.multipart(",
        ):
            assert reading not in text, path


def test_the_largest_webhook_of_line_has_room() -> None:
    assert body_limit("/line/webhook") == 1024 * 1024
