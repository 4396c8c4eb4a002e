"""The HTTP seam: what is known after a failure, and where it never connects."""

import socket

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from channels.channel import TemporaryFailure, UnknownOutcome
from channels.http import HttpAnswer, HttpClient, PrivateAddress, PublicResolver, is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
        ("2002:808:808::", True),
        ("192.0.0.192", False),
        ("192.0.0.9", False),
        ("192.88.99.1", False),
        ("192.175.48.1", False),
        ("198.18.0.1", False),
        ("203.0.113.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("fec0::1", False),
        ("64:ff9b:1::808:808", False),
        ("::8.8.8.8", False),
        ("::7f00:1", False),
        ("::ffff:0:8.8.8.8", False),
        ("100::1", False),
        ("100:0:0:1::1", False),
        ("2001::1", False),
        ("2001:2::1", False),
        ("2001:db8::1", False),
        ("2620:4f:8000::1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("ff02::1", False),
        ("2400:4050::1", True),
    ],
)
def test_private_and_local_networks_are_known_in_every_spelling(address, public):
    assert is_public(address) is public


class Fickle(AbstractResolver):
    """A name that is public when looked at first and private from then on."""

    def __init__(self) -> None:
        self.answers = ["8.8.8.8", "127.0.0.1"]

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        address = self.answers.pop(0)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing to close."""


async def test_a_name_that_turns_private_is_refused_the_moment_it_does():
    resolver = PublicResolver(Fickle())
    assert (await resolver.resolve("rebind.example.jp"))[0]["host"] == "8.8.8.8"
    with pytest.raises(PrivateAddress):
        await resolver.resolve("rebind.example.jp")


async def test_nothing_listening_means_nothing_was_sent(closed_port):
    client = HttpClient()
    with pytest.raises(TemporaryFailure):
        await client.request("POST", f"http://127.0.0.1:{closed_port}/", body=b"{}")
    await client.close()


async def test_a_name_that_does_not_exist_means_nothing_was_sent():
    client = HttpClient(timeout=30)
    with pytest.raises(TemporaryFailure):
        await client.request("POST", "http://does-not-exist.invalid/", body=b"{}")
    await client.close()


async def test_a_redirect_is_not_followed(serve):
    async def redirect(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:1/")

    app = web.Application()
    app.router.add_get("/", redirect)
    client = HttpClient()
    answer = await client.request("GET", await serve(app) + "/")
    assert answer.status == 302
    await client.close()


async def test_silence_after_the_request_leaves_the_outcome_unknown(serve):
    async def hang_up(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hang_up)
    client = HttpClient()
    with pytest.raises(UnknownOutcome):
        await client.request("POST", await serve(app) + "/", body=b"{}")
    await client.close()


async def test_an_endless_answer_is_read_up_to_the_limit(serve):
    async def flood(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 100_000)

    app = web.Application()
    app.router.add_get("/", flood)
    client = HttpClient()
    answer = await client.request("GET", await serve(app) + "/", answer_limit=1_000)
    assert len(answer.body) == 1_000
    await client.close()


@pytest.mark.parametrize(
    ("value", "seconds"), [("30", 30.0), ("", None), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)]
)
def test_retry_after_is_read_as_seconds_or_date(value, seconds):
    assert HttpAnswer(503, {"Retry-After": value}, b"").retry_after == seconds
