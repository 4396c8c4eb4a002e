"""Properties over a database: each example in a transaction of its own that is rolled back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database

# The database is shared between examples on purpose: `undone` leaves it empty.
few_examples = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@asynccontextmanager
async def undone(database: Database) -> AsyncIterator[AsyncConnection]:
    async with database.engine.connect() as connection:
        transaction = await connection.begin()
        try:
            yield connection
        finally:
            await transaction.rollback()
