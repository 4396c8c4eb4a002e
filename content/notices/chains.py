"""The chain (訂正の系列) that a notice begins: its corrections and withdrawals, and those of theirs."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices.notices import notice


async def root_of(connection: AsyncConnection, notice_id: int) -> int:
    """The notice that began the chain: whoever was reached by it is spoken to by all of the others."""
    above = select(notice.c.id, notice.c.corrects).where(notice.c.id == notice_id).cte(recursive=True)
    above = above.union_all(select(notice.c.id, notice.c.corrects).where(notice.c.id == above.c.corrects))
    found = await connection.scalar(select(above.c.id).where(above.c.corrects.is_(None)))
    if found is None:
        raise LookupError(f"no notice {notice_id}")
    return int(found)


async def members(connection: AsyncConnection, root_id: int) -> list[int]:
    """The notice that began the chain and everything that corrects or withdraws it, drafts too, oldest first."""
    below = select(notice.c.id).where(notice.c.id == root_id).cte(recursive=True)
    below = below.union_all(select(notice.c.id).where(notice.c.corrects == below.c.id))
    rows = await connection.scalars(select(below.c.id).order_by(below.c.id))
    return [int(row) for row in rows]


async def corrections_of(connection: AsyncConnection, notice_id: int) -> list[int]:
    """The notices that correct or withdraw this one, oldest first."""
    rows = await connection.scalars(
        select(notice.c.id).where(notice.c.corrects == notice_id).order_by(notice.c.id)
    )
    return [int(row) for row in rows]
