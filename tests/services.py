"""Real services that tests talk to: where they are, and what to do when they are not there."""

from __future__ import annotations

import os
from typing import NoReturn

import asyncpg
import pytest

POSTGRES = os.environ.get("KAIRANBAN_TEST_POSTGRES", "postgresql://root@127.0.0.1/postgres")


def service_missing(what: str) -> NoReturn:
    """Skip the test that needs a service, or fail it where services are required."""
    if os.environ.get("KAIRANBAN_REQUIRE_SERVICES") == "1":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


async def on_postgres(statement: str) -> None:
    connection = await asyncpg.connect(POSTGRES, timeout=60)
    await connection.execute(statement)
    await connection.close()
