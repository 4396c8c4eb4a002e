"""PostgreSQL for faults: databases of a test's own, and a whole server of its own that may be stopped."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
from sqlalchemy.engine import make_url

from tests.journeys.deployment import free_port
from tests.services import POSTGRES, on_postgres, service_missing


@asynccontextmanager
async def empty_database() -> AsyncIterator[str]:
    """The URL of an empty database on the machine's server."""
    name = f"kairanban_faults_{uuid4().hex[:12]}"
    try:
        await on_postgres(f"CREATE DATABASE {name}")
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        service_missing(f"PostgreSQL is not usable at KAIRANBAN_TEST_POSTGRES ({type(error).__name__})")
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        await on_postgres(f"DROP DATABASE {name} WITH (FORCE)")


class OwnServer:
    """A cluster in a folder of its own on a free port; `stop` and `start` as often as wanted."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._folder = folder
        self._port = free_port()
        self.url = f"postgresql://kairanban@127.0.0.1:{self._port}/postgres"

    async def create(self) -> None:
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            shutil.chown(self._folder, "postgres", "postgres")
        await self._run("initdb", "-D", str(self._data), "-U", "kairanban", "-A", "trust", "-E", "UTF8")

    async def tablespace(self, folder: Path, name: str) -> str:
        """The URL of an empty database whose tables stand in a folder; what the server writes besides does not."""
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        connection = await asyncpg.connect(self.url, timeout=10)
        try:
            await connection.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
            await connection.execute(f"CREATE DATABASE {name} TABLESPACE {name}")
        finally:
            await connection.close()
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    async def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        await self._run(
            *("pg_ctl", "-D", str(self._data), "-w", "-o", options),
            *("-l", str(self._folder / "server.log"), "start"),
        )

    async def stop(self, how: str = "fast") -> None:
        """`immediate` is a crash: the server recovers from its log when it starts again."""
        await self._run("pg_ctl", "-D", str(self._data), "-w", "-m", how, "stop")

    async def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        done = await asyncio.to_thread(
            subprocess.run,
            command,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stderr.decode()}"


@asynccontextmanager
async def own_server() -> AsyncIterator[OwnServer]:
    """A running server with one empty database, gone with the test."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        service_missing("no PostgreSQL server programs under /usr/lib/postgresql")
    # Not below pytest's folder, which is closed to the user postgres.
    folder = Path(tempfile.mkdtemp(prefix="kairanban-postgres-"))
    server = OwnServer(programs[-1].parent, folder)
    try:
        await server.create()
        await server.start()
        try:
            yield server
        finally:
            await server.stop("immediate")
    finally:
        shutil.rmtree(folder)
