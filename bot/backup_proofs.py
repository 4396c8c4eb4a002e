"""When it was last tried whether a copy comes back (`kairanban backup --prove`)."""

from __future__ import annotations

from content.database import Database
from content.staff import audit

PROVED = "database.backup_proved"


async def last_proved(database: Database) -> int | None:
    """In ms; None for never."""
    async with database.read() as connection:
        found = await audit.entries(connection, "database", 1, action=PROVED)
    return found[0].at if found else None
