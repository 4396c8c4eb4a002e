"""A machine at the door of the service, with a key that may do what the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from bot import machine_keys
from bot.app import create_app
from bot.machine_keys import Wanted
from bot.service import Service
from content.staff.rights import Permission
from tests.factories import PEOPLE, make_subscriber

EVERYTHING = (Permission.SEE, Permission.WRITE, Permission.APPROVE, Permission.SEND_URGENT)
WORDS = {"title": "船岡地区の断水", "body": "船岡地区で断水しています。給水車は船岡小学校に来ます。"}


def wanted(**changes: Any) -> dict[str, Any]:
    """A routine 災害 notice by LINE."""
    plain = {"category": "saigai", "mode": "live", "texts": {"ja": WORDS}, "channels": ["line"]}
    return plain | changes


@dataclass(frozen=True)
class Caller:
    """A program with a key."""

    client: TestClient[Any, Any]
    token: str = field(repr=False)
    name: str = "防災システム"

    async def post(
        self, body: object, key: str | None = None, token: str | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        sent = {
            "Authorization": f"Bearer {self.token if token is None else token}",
            "Idempotency-Key": str(uuid4()) if key is None else key,
            **headers,
        }
        content: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with self.client.post("/api/v1/notices", headers=sent, **content) as answer:
            return answer.status, await answer.json(content_type=None)

    async def show(self, notice_id: int) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.client.get(f"/api/v1/notices/{notice_id}", headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)


MakeCaller = Callable[..., Awaitable[Caller]]


@pytest_asyncio.fixture
async def make_caller(service: Service) -> AsyncIterator[MakeCaller]:
    async with TestClient(TestServer(create_app(service))) as client:

        async def make(
            name: str = "防災システム", permissions: Sequence[str] = EVERYTHING, **changes: Any
        ) -> Caller:
            token = await machine_keys.make(
                service, Wanted(name, permissions=permissions, **changes), by="cli:admin"
            )
            return Caller(client, token, name)

        yield make


@pytest_asyncio.fixture
async def caller(make_caller: MakeCaller) -> Caller:
    return await make_caller()


@pytest_asyncio.fixture(autouse=True)
async def residents(service: Service) -> None:
    async with service.database.write() as connection:
        for person in PEOPLE:
            await make_subscriber(connection, service.keys, person)
