"""Databases of our own on the PostgreSQL of this machine (KAIRANBAN_TEST_POSTGRES names another)."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

SERVER = os.environ.get("KAIRANBAN_TEST_POSTGRES", "postgresql://root@127.0.0.1/postgres")


@contextmanager
def database(template: str = "") -> Iterator[str]:
    """The URL of a new database, empty or copied from the one at the URL `template`; dropped at the end."""
    name = f"kairanban_bench_{uuid.uuid4().hex[:12]}"
    copied = f' TEMPLATE "{template.rpartition("/")[2]}"' if template else ""
    _execute(f'CREATE DATABASE "{name}"{copied}')
    try:
        yield f"{SERVER.rpartition('/')[0]}/{name}"
    finally:
        _execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def fetch(url: str, query: str, *values: Any) -> list[asyncpg.Record]:
    """Rows of one query over a connection of its own."""
    return asyncio.run(_fetch(url, query, *values))


def version() -> str:
    return str(fetch(SERVER, "SHOW server_version")[0][0]).split()[0]


def _execute(statement: str) -> None:
    try:
        fetch(SERVER, statement)
    except OSError as error:
        raise SystemExit(
            f"PostgreSQL does not answer at {SERVER.rpartition('@')[2]} ({error}); start it or set KAIRANBAN_TEST_POSTGRES"
        ) from None


async def _fetch(url: str, query: str, *values: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()
