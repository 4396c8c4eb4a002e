"""The chain (訂正の系列) that a notice begins: its corrections and withdrawals, and those of theirs."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices.notices import notice, trigger
from content.notices.states import NoticeKind, TriggerState


async def root_of(connection: AsyncConnection, notice_id: int) -> int:
    """The notice that began the chain: whoever was reached by it is spoken to by all of the others."""
    found = await connection.scalar(root_query(notice_id))
    if found is None:
        raise LookupError(f"no notice {notice_id}")
    return int(found)


def root_query(notice_id: int) -> Select[int]:
    """The id of the notice that began the chain."""
    above = select(notice.c.id, notice.c.corrects).where(notice.c.id == notice_id).cte(recursive=True)
    above = above.union_all(select(notice.c.id, notice.c.corrects).where(notice.c.id == above.c.corrects))
    return select(above.c.id).where(above.c.corrects.is_(None))


async def members(connection: AsyncConnection, root_id: int) -> list[int]:
    """The notice that began the chain and everything that corrects or withdraws it, drafts too, oldest first."""
    rows = await connection.scalars(members_query(root_id))
    return [int(row) for row in rows]


def members_query(root_id: int) -> Select[int]:
    """The ids of the chain that a notice began, oldest first."""
    below = select(notice.c.id).where(notice.c.id == root_id).cte(recursive=True)
    below = below.union_all(select(notice.c.id).where(notice.c.corrects == below.c.id))
    return select(below.c.id).order_by(below.c.id)


async def corrections_of(connection: AsyncConnection, notice_id: int) -> list[int]:
    """The notices that correct or withdraw this one, oldest first."""
    rows = await connection.scalars(
        select(notice.c.id).where(notice.c.corrects == notice_id).order_by(notice.c.id)
    )
    return [int(row) for row in rows]


async def spoken_again(
    connection: AsyncConnection, notice_ids: Iterable[int]
) -> dict[int, list[tuple[NoticeKind, int]]]:
    """Of these notices those that something which is out corrects or withdraws: its kind and time (ms), oldest first."""
    rows = await connection.execute(
        select(notice.c.corrects, notice.c.kind, trigger.c.fired_at)
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .where(notice.c.corrects.in_(list(notice_ids)), trigger.c.state == TriggerState.FIRED)
        .order_by(notice.c.id)
    )
    found: dict[int, list[tuple[NoticeKind, int]]] = {}
    for row in rows:
        found.setdefault(int(row.corrects), []).append((NoticeKind(row.kind), int(row.fired_at)))
    return found
