"""Numbers for new registrations. They are known beforehand, since an address is sealed for its row.

No number comes twice: rows of subscribers are never deleted.
"""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from content.register.imports import registration_import
from content.register.subscribers import subscriber

SEQUENCE = "subscriber_id_seq"
_LAST_TAKEN = select(
    select(func.max(subscriber.c.id)).scalar_subquery(),
    select(func.max(registration_import.c.last_id)).scalar_subquery(),
)


async def next_ids(connection: AsyncConnection, number: int) -> list[int]:
    """For rows that the caller inserts in this transaction, ascending.

    Asking for them beforehand also lets a bulk insert go out as one statement: reading ids back costs a
    round trip per row on SQLite.
    """
    if connection.dialect.name == "postgresql":
        rows = await connection.scalars(
            select(func.nextval(SEQUENCE)).select_from(func.generate_series(1, number))
        )
        return sorted(int(row) for row in rows)
    first = await _first_free(connection)
    return list(range(first, first + number))


async def range_for_import(connection: AsyncConnection, number: int) -> tuple[int, int]:
    """First and last of so many numbers in a row, for an import that the caller writes down in this transaction.

    In a row, because a fan-out goes by numbers: it has passed all of an import that comes in meanwhile, or none.
    """
    if connection.dialect.name == "postgresql":
        # Changes nothing, but keeps the others from taking a number until the commit.
        await connection.execute(text(f"ALTER SEQUENCE {SEQUENCE} INCREMENT BY 1"))
        take = text(f"SELECT setval('{SEQUENCE}', nextval('{SEQUENCE}') + :number - 1)")
        last = int((await connection.execute(take, {"number": max(number, 1)})).scalar_one())
        return last - max(number, 1) + 1, last
    first = await _first_free(connection)
    return first, first + max(number, 1) - 1


async def last_given(connection: AsyncConnection) -> int:
    """The highest number of a registration or of an import, also of one that was given up."""
    return await _first_free(connection) - 1


async def _first_free(connection: AsyncConnection) -> int:
    taken = (await connection.execute(_LAST_TAKEN)).one()
    return max(int(last or 0) for last in taken) + 1
