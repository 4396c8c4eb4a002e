"""How many active registrations belong to each group, by account."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.register.imports import has_come_in
from content.register.subscribers import preference


async def count_members(connection: AsyncConnection, groups: Sequence[str]) -> dict[str, dict[str, int]]:
    """group → account → number; a group without members is there, empty."""
    rows = await connection.execute(
        select(preference.c.value, preference.c.account, func.count())
        .where(
            preference.c.kind == "group",
            preference.c.value.in_(groups),
            preference.c.active,
            has_come_in(preference.c.subscriber_id),
        )
        .group_by(preference.c.value, preference.c.account)
    )
    counts: dict[str, dict[str, int]] = {group: {} for group in groups}
    for group, account, number in rows:
        counts[group][account] = int(number)
    return counts
