"""Who reads which language on an account, by number: for what is set on the platform itself for each of them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.register.states import SubscriberState
from content.register.subscribers import subscriber


async def readers_of(
    connection: AsyncConnection, account: str, language: str, *, after: int, most: int
) -> list[int]:
    """The next active ones behind a number."""
    rows = await connection.scalars(
        select(subscriber.c.id)
        .where(
            subscriber.c.account == account,
            subscriber.c.state == SubscriberState.ACTIVE,
            subscriber.c.language == language,
            subscriber.c.id > after,
        )
        .order_by(subscriber.c.id)
        .limit(most)
    )
    return [int(row) for row in rows]
