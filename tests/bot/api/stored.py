"""What a posted notice left behind."""

from __future__ import annotations

from bot.service import Service
from content.notices import notices
from content.staff import audit


async def stored(service: Service) -> list[notices.Notice]:
    async with service.database.read() as connection:
        return await notices.recent(connection)


async def entries(service: Service) -> list[audit.Entry]:
    async with service.database.read() as connection:
        return await audit.entries(connection)
