"""A machine at the door of the service, with a key that may do what the test says."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from bot import machine_keys
from bot.app import create_app
from bot.belonging import bind
from bot.machine_keys import Wanted
from bot.service import Service
from content.database import Database
from content.keys import Keys
from content.staff.rights import Permission
from tests.conftest import run_apart
from tests.factories import PEOPLE, create_town, make_subscriber

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


@pytest.fixture(scope="session")
def staffed_template(staffed_template: Path, tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """The same with the people who recur."""
    path = tmp_path_factory.mktemp("residents") / "residents.db"
    shutil.copyfile(staffed_template, path)
    run_apart(_register_people(path, keys))
    return path


async def _register_people(path: Path, keys: Keys) -> None:
    database = Database(f"sqlite:///{path}")
    own_keys = await bind(database, create_town(), keys)
    async with database.write() as connection:
        for person in PEOPLE:
            await make_subscriber(connection, own_keys, person)
    await database.close()
