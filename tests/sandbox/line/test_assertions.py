"""Tokens by an assertion of the channel's own key: issued, counted, listed, revoked; and what LINE would not take."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.line.oauth import ASSERTION_TYPE
from tests.sandbox.line.line_town import SECRET


@cache
def made_key(name: str) -> rsa.RSAPrivateKey:
    """Of its own for each name: to make one takes its time."""
    del name
    return rsa.generate_private_key(65537, 2048)


def part(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def jwk() -> dict[str, str]:
    numbers = made_key("own").public_key().public_numbers()
    return {"kty": "RSA", "e": part(numbers.e.to_bytes(3)), "n": part(numbers.n.to_bytes(256))}


def signed(town: Any, kid: str, key: str = "own", header: Any = None, **claims: Any) -> str:
    channel = town.channel.channel_id
    told = {
        "iss": channel,
        "sub": channel,
        "aud": "https://api.line.me/",
        "exp": town.sandbox.clock.now_ms() // 1000 + 600,
        "token_exp": 3600,
        **claims,
    }
    told = {name: value for name, value in told.items() if value is not None}
    head = {"alg": "RS256", "typ": "JWT", "kid": kid, **(header or {})}
    text = f"{part(json.dumps(head).encode())}.{part(json.dumps(told).encode())}"
    return f"{text}.{part(made_key(key).sign(text.encode(), PKCS1v15(), SHA256()))}"


async def registered(town: Any) -> str:
    status, made = await town.send(
        "POST", f"channels/{town.channel.channel_id}/assertion-keys", {"jwk": jwk()}
    )
    assert status == 201
    return str(made["kid"])


async def ask(town: Any, assertion: str, path: str = "/oauth2/v2.1/token") -> tuple[int, Any]:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    async with town.session.post(town.origin + path, data=form) as answer:
        return answer.status, await answer.json()


async def works(town: Any, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return bool((await town.raw("GET", "/v2/bot/info", headers=headers))[0] == 200)


async def kids(town: Any, kid: str) -> list[str]:
    query = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed(town, kid)}
    async with town.session.get(f"{town.origin}/oauth2/v2.1/tokens/kid", params=query) as answer:
        return list((await answer.json())["kids"])


async def test_a_token_by_assertion_lives_as_long_as_it_asks_and_can_be_revoked(town):
    kid = await registered(town)
    status, first = await ask(town, signed(town, kid, token_exp=60))
    assert (status, first["expires_in"], first["token_type"]) == (200, 60, "Bearer")
    _, second = await ask(town, signed(town, kid))
    assert await kids(town, kid) == [first["key_id"], second["key_id"]]
    await town.advance(61)
    assert not await works(town, first["access_token"]) and await works(town, second["access_token"])
    form = {
        "client_id": town.channel.channel_id,
        "client_secret": SECRET,
        "access_token": second["access_token"],
    }
    async with town.session.post(f"{town.origin}/oauth2/v2.1/revoke", data=form) as answer:
        assert answer.status == 200
    assert not await works(town, second["access_token"]) and await kids(town, kid) == []


async def test_there_are_30_at_a_time(town):
    kid = await registered(town)
    answers = [(await ask(town, signed(town, kid)))[0] for _ in range(31)]
    assert answers == [200] * 30 + [400]


async def test_a_stateless_token_by_assertion_lives_15_minutes(town):
    kid = await registered(town)
    status, issued = await ask(town, signed(town, kid, token_exp=None), "/oauth2/v3/token")
    assert (status, issued["expires_in"]) == (200, 900) and await works(town, issued["access_token"])


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "1"},
        {"sub": "1"},
        {"aud": "https://example.jp/"},
        {"exp": 1},
        {"exp": 10**11},
        {"exp": True},
        {"token_exp": None},
        {"token_exp": 0},
        {"token_exp": 2_592_001},
        {"token_exp": "60"},
        {"header": {"alg": "none"}},
        {"header": {"kid": "unknown"}},
        {"key": "another"},
    ],
    ids=str,
)
async def test_what_line_would_not_take_is_refused(town, claims):
    kid = await registered(town)
    status, body = await ask(town, signed(town, kid, **claims))
    assert status == 400 and body["error"] in ("invalid_client", "invalid_request")


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "....", "é.é.é"])
async def test_what_is_no_assertion_is_refused(town, text):
    assert (await ask(town, text))[0] == 400


@pytest.mark.parametrize("wrong", [None, {}, {"kty": "EC"}, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "key"])
async def test_what_is_no_key_is_not_registered(town, wrong):
    path = f"channels/{town.channel.channel_id}/assertion-keys"
    assert (await town.send("POST", path, {"jwk": wrong}))[0] == 400
