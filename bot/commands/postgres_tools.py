"""PostgreSQL's own programs, and that nobody else is connected while they work."""

from __future__ import annotations

import asyncio
import os
import shutil

from sqlalchemy.engine import URL

from bot.commands.common import FAILED, fail
from content.database import Database
from content.database.dialects import others_connected


async def refuse_others(url: str) -> None:
    """End the command when somebody else is connected to a PostgreSQL database."""
    database = Database(url)
    try:
        async with database.read() as connection:
            others = await connection.run_sync(others_connected)
    finally:
        await database.close()
    if others:
        fail("Others are connected to the database; stop every kairanban process first.", FAILED)


async def run_postgres_tool(tool: str, url: URL, *options: str) -> None:
    """Run one of PostgreSQL's own programs; the password goes by the environment, where nobody reads it."""
    program = shutil.which(tool)
    if program is None:
        fail(f"{tool} is not installed; it comes with PostgreSQL's client (postgresql-client).", FAILED)
    # `set` leaves a password alone that is to become None, and the program would be given its mask.
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    process = await asyncio.create_subprocess_exec(
        *(program, "--dbname", plain.render_as_string(), *options),
        env={**os.environ, **({"PGPASSWORD": url.password} if url.password else {})},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    if process.returncode:
        fail(f"{tool}: {err.decode(errors='replace').strip()}", FAILED)
