"""Where the town names networks, the staff pages open from there alone, and all else from everywhere."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.app import create_app
from bot.door.headers import SOURCE
from bot.service import Service
from bot.settings import WebSettings

INSIDE, OUTSIDE = "192.168.10.7", "203.0.113.9"


@pytest.mark.parametrize(
    ("address", "path", "status"),
    [
        (INSIDE, "/console/login", 200),
        ("::ffff:192.168.10.7", "/console/login", 200),
        (OUTSIDE, "/console/login", 403),
        (OUTSIDE, "/%63onsole/login", 403),
        (OUTSIDE, "/console", 403),
        (OUTSIDE, "/console/notices", 403),
        ("", "/console/login", 403),
        ("192.168.10.7, 203.0.113.9", "/console/login", 403),
        (OUTSIDE, "/privacy", 200),
        (OUTSIDE, "/healthz", 200),
    ],
)
async def test_the_console_opens_from_the_named_networks(
    service: Service, address: str, path: str, status: int
) -> None:
    web = WebSettings(console_networks="192.168.10.0/24, 10.1.1.5")
    service.settings.web = web
    async with TestClient(TestServer(create_app(service, behind_door=True))) as client:
        answer = await client.get(path, headers={SOURCE: address}, allow_redirects=False)
        assert answer.status == status
        if status == 403:
            assert "決められた場所からだけ" in await answer.text()


def test_what_is_no_network_is_named() -> None:
    with pytest.raises(ValueError, match="write addresses or networks"):
        WebSettings(console_networks="the town hall")
