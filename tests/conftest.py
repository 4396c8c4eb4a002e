"""Databases for tests, SQLite and PostgreSQL, each empty and at the newest schema.

`KAIRANBAN_TEST_POSTGRES` names a PostgreSQL where databases may be created; without a reachable
one its tests are skipped, unless `KAIRANBAN_REQUIRE_SERVICES=1` makes that a failure.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import asyncpg
import hypothesis
import pytest
import pytest_asyncio
from argon2 import PasswordHasher
from sqlalchemy.engine import make_url
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from content.database import Database, metadata
from content.keys import Keys
from content.schema import upgrade
from content.staff import passwords
from content.town import Town
from tests.factories import create_town
from tests.services import POSTGRES, on_postgres, service_missing

# What is imported and collected stays until the end; looking for garbage among it would take a tenth of the time.
gc.disable()

# How long an example takes says more about what else the machine is doing than about the code.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

# The triggers that keep history append-only stand aside for it.
APPEND_ONLY = (
    "registration_event",
    "audit_entry",
    "audit_link",
    "year_end",
    "year_end_figure",
    "year_end_remark",
)
# What the migrations put there and the service takes for granted.
KEPT = {"department": " WHERE key <> 'office'"}


def emptying(table: str) -> str:
    """Deleting row by row takes a hundredth of the time that TRUNCATE takes."""
    delete = f'DELETE FROM "{table}"{KEPT.get(table, "")};'
    if table not in APPEND_ONLY:
        return delete
    aside, back = (f"ALTER TABLE {table} {word} TRIGGER USER;" for word in ("DISABLE", "ENABLE"))
    return f"DO $$ BEGIN IF EXISTS (SELECT FROM {table}) THEN {aside} {delete} {back} END IF; END $$;"


# In one go: forty statements one by one take longer than most tests.
EMPTY_EVERY_TABLE = "".join(emptying(table.name) for table in reversed(metadata.sorted_tables))


# Tests that start many processes, or share a browser: one worker takes all of a group, one after the other,
# and the longest groups begin first. They mostly wait, so the others run beside them.
GROUPS = (
    ("faults/test_kill_rounds.py", "faults/test_copies.py"),
    ("faults/test_machine_breaks.py", "faults/test_outside_breaks.py", "faults/test_processes_break.py"),
    ("journeys/",),
    ("faults/",),
    ("sandbox/phone/",),
)


def group_of(nodeid: str) -> int:
    """The number of a test's group; those of no group come last."""
    places = (
        number
        for number, beginnings in enumerate(GROUPS)
        if nodeid.startswith(tuple(f"tests/{beginning}" for beginning in beginnings))
    )
    return next(places, len(GROUPS))


class GroupsTogether(LoadScopeScheduling):
    """Every test goes to the next free worker, those of a group all to the same."""

    def _split_scope(self, nodeid: str) -> str:
        group = group_of(nodeid)
        return nodeid if group == len(GROUPS) else f"group {group}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupsTogether:
    config.option.loadscopereorder = False
    return GroupsTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: group_of(item.nodeid))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """The same hash of passwords with small costs: at its own it is a fifth of a second, on purpose."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", quick)
        patch.setattr(passwords, "_NOBODY", quick.hash("nobody has this password"))
        yield


def run_apart(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in an event loop of its own, away from the loop of the tests."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


async def migrate(url: str) -> None:
    database = Database(url)
    await upgrade(database)
    await database.close()


@cache
def migrated_file() -> Path:
    """An empty SQLite database at the newest schema, for copying: a third of a second of migrations, once in a process."""
    folder = Path(mkdtemp(prefix="kairanban-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    run_apart(migrate(f"sqlite:///{folder}/empty.db"))
    return folder / "empty.db"


@pytest.fixture(scope="session")
def postgres_name() -> Iterator[str]:
    """An empty PostgreSQL database of this session."""
    name = f"kairanban_test_{uuid4().hex[:12]}"
    try:
        run_apart(on_postgres(f"CREATE DATABASE {name}"))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        service_missing(
            "PostgreSQL is not usable; start one or point KAIRANBAN_TEST_POSTGRES to it"
            f" ({type(error).__name__})"
        )
    yield name
    run_apart(on_postgres(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def postgres_url(postgres_name: str) -> str:
    """The same, brought to the newest schema."""
    url = make_url(POSTGRES).set(database=postgres_name).render_as_string(hide_password=False)
    run_apart(migrate(url))
    return url


@pytest.fixture(scope="session")
def sqlite_template() -> Path:
    return migrated_file()


@pytest_asyncio.fixture
async def sqlite_database(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Database]:
    path = tmp_path / "kairanban.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield database
    await database.close()


@pytest_asyncio.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url)
    async with database.write() as connection:
        raw = await connection.get_raw_connection()
        await raw.driver_connection.execute(EMPTY_EVERY_TABLE)
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def database(request: pytest.FixtureRequest) -> Database:
    """Every test that takes it runs on SQLite and on PostgreSQL."""
    chosen: Database = request.getfixturevalue(f"{request.param}_database")
    return chosen


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys({1: b"k" * 32})


@pytest.fixture
def town() -> Town:
    """One of its own for each test: some change what stands in theirs."""
    return create_town()
