"""Databases of whole deployments."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from tests.services import POSTGRES, on_postgres, service_missing


@pytest.fixture
async def empty_postgres() -> AsyncIterator[str]:
    """The URL of an empty database of this test's own."""
    name = f"kairanban_journey_{uuid4().hex[:12]}"
    try:
        await on_postgres(f"CREATE DATABASE {name}")
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        service_missing(f"PostgreSQL is not usable at KAIRANBAN_TEST_POSTGRES ({type(error).__name__})")
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    await on_postgres(f"DROP DATABASE {name} WITH (FORCE)")
