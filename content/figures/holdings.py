"""What stands in a database, in a few numbers: to see whether a copy of it is whole."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices.notices import notice
from content.register.states import SubscriberState
from content.register.subscribers import subscriber


@dataclass(frozen=True, slots=True)
class Holdings:
    """`registrations` are those that are active."""

    registrations: int
    notices: int


async def holdings(connection: AsyncConnection) -> Holdings:
    active = select(func.count()).select_from(subscriber).where(subscriber.c.state == SubscriberState.ACTIVE)
    return Holdings(
        int(await connection.scalar(active) or 0),
        int(await connection.scalar(select(func.count()).select_from(notice)) or 0),
    )
