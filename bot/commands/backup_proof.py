"""backup --prove: a copy is brought back beside the service, looked through and thrown away. Nothing is sent by it."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError

from bot.backup_proofs import PROVED
from bot.belonging import bound_keys
from content.clock import now_ms
from content.database import Database, identity
from content.database.files import SUFFIXES, copy_sqlite
from content.figures.holdings import holdings
from content.key_file import KeyFileError
from content.keys import Keys
from content.register.address_book import any_sealed_address
from content.staff import audit, audit_chain
from content.staff.audit_chain import Broken

Reader = Callable[[URL, Path], Awaitable[None]]


class NotProved(Exception):
    """The copy cannot be relied on; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands in the copy."""

    registrations: int
    notices: int
    entries: int

    def __str__(self) -> str:
        return (
            f"有効な登録 {self.registrations:,}件、お知らせ {self.notices:,}件、操作の記録 {self.entries:,}件"
        )


async def prove(
    database: Database, keys: Keys, file: Path, arrive: Callable[[str], Awaitable[None]], read: Reader
) -> Proof:
    """`arrive` takes a copy in as `restore` does, `read` fills an empty PostgreSQL database from the file.

    Raises NotProved.
    """
    beside = _beside_sqlite(file) if database.is_sqlite else _beside_postgres(database, file, read)
    async with beside as url:
        await arrive(url)
        copy = Database(url)
        try:
            return await _look_through(copy, keys)
        finally:
            await copy.close()


async def record(database: Database, proof: Proof, actor: str) -> None:
    async with database.write() as connection:
        await audit.record(
            connection,
            at=now_ms(),
            actor=actor,
            action=PROVED,
            subject="database",
            registrations=proof.registrations,
            notices=proof.notices,
            entries=proof.entries,
        )


async def _look_through(copy: Database, keys: Keys) -> Proof:
    async with copy.read() as connection:
        found, sealed = await holdings(connection), await any_sealed_address(connection)
        own = await identity.read(connection)
    try:
        bound = keys if own is None else await bound_keys(copy, keys, own)
        if sealed is not None:
            bound.open(*sealed)
    except KeyFileError as error:
        raise NotProved(f"宛先を開けません。{error}") from None
    trail = await audit_chain.verify(copy, bound)
    if isinstance(trail, Broken):
        raise NotProved(
            f"操作の記録が、{trail.number}番目で書かれたときと違います。前の控えを確かめてください。"
        )
    return Proof(found.registrations, found.notices, trail.number)


@asynccontextmanager
async def _beside_sqlite(file: Path) -> AsyncIterator[str]:
    """Beside the copy, where there is as much room as it takes; readable for us alone."""
    scratch = file.with_name(f".{file.name}.proof-{secrets.token_hex(4)}")
    try:
        try:
            await asyncio.to_thread(copy_sqlite, file, scratch)
            damage = await asyncio.to_thread(_damage, scratch)
        except (OSError, sqlite3.Error) as error:
            raise NotProved(f"読み戻せません({error})。") from None
        if damage:
            raise NotProved(f"ファイルが壊れています({damage})。新しい控えを取ってください。")
        yield f"sqlite:///{scratch}"
    finally:
        await asyncio.to_thread(_remove, scratch)


def _remove(path: Path) -> None:
    for suffix in SUFFIXES:
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _damage(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    connection.close()
    return "" if found == "ok" else str(found)


@asynccontextmanager
async def _beside_postgres(database: Database, file: Path, read: Reader) -> AsyncIterator[str]:
    """A database of its own on the same server."""
    import asyncpg

    name = f"kairanban_proof_{secrets.token_hex(6)}"
    url = make_url(database.url).set(drivername="postgresql")
    server = await asyncpg.connect(url.render_as_string(hide_password=False), timeout=20)
    try:
        try:
            await server.execute(f"CREATE DATABASE {name}")
        except asyncpg.PostgresError as error:
            raise NotProved(
                f"確かめるためのデータベースを作れません({error})。利用者に CREATEDB の権限を付けてください: "
                "ALTER ROLE 利用者 CREATEDB"
            ) from None
        try:
            place = url.set(database=name)
            await read(place, file)
            yield place.render_as_string(hide_password=False)
        finally:
            await server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    except DBAPIError as error:
        raise NotProved(f"読み戻せません({type(error.orig).__name__})。") from None
    finally:
        await server.close()
