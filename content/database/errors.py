"""Whose fault an error is: that of the machine, or of what was asked of it."""

from __future__ import annotations

import sys

from sqlalchemy import exc

# The classes of SQLSTATE that blame a statement or its values: data, integrity, syntax. All others blame the
# machine: disk, memory, connection, locks, shutdown.
BLAMED_ON_STATEMENT = ("22", "23", "42")


def is_infrastructure(error: BaseException) -> bool:
    """Whether database, disk, memory or network failed, so that the same thing may succeed later."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    if state:
        return not str(state).startswith(BLAMED_ON_STATEMENT)
    if isinstance(error, exc.DBAPIError):
        return not isinstance(error, exc.IntegrityError | exc.DataError | exc.ProgrammingError)
    # A pool without a free connection raises an error of SQLAlchemy's own.
    if isinstance(error, OSError | MemoryError | TimeoutError | exc.TimeoutError):
        return True
    # Who has not imported PostgreSQL's driver, on SQLite, has no error of it.
    driver = sys.modules.get("asyncpg")
    return driver is not None and isinstance(error, driver.InterfaceError)
