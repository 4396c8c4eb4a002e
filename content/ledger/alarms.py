"""Alarms (警報): what operators are told of, each one row from its beginning to its end. Never personal data.

An alarm is told once, repeated slowly, and ends by itself when what it says is no longer so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, Row, Table, Text, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata

alarm = Table(
    "alarm",
    metadata,
    Column("id", Id, primary_key=True),
    Column("code", Text, nullable=False),
    # The key of an account, the name of a machine or process, or "" for what concerns all.
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("told", Integer, nullable=False, server_default="0"),
    Column("told_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("end_told_at", BigInteger),
)
# The same trouble is one alarm until it ends.
Index(
    "uq_alarm_open",
    alarm.c.code,
    alarm.c.subject,
    unique=True,
    sqlite_where=text("ended_at IS NULL"),
    postgresql_where=text("ended_at IS NULL"),
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """`told` times so far, the last at `told_at`; `ended_at` and `end_told_at` are None while it goes on."""

    id: int
    code: str
    subject: str
    detail: str
    since: int
    told: int = 0
    told_at: int | None = None
    ended_at: int | None = None
    end_told_at: int | None = None


async def going_on(connection: AsyncConnection) -> list[Alarm]:
    """The oldest first."""
    return await _select(connection, alarm.c.ended_at.is_(None))


async def since(connection: AsyncConnection, at: int, limit: int = 100) -> list[Alarm]:
    """What goes on, and what ended after this time."""
    return await _select(connection, or_(alarm.c.ended_at.is_(None), alarm.c.ended_at > at), limit)


async def to_tell(connection: AsyncConnection) -> list[Alarm]:
    """What goes on, and what has ended although operators still believe that it goes on."""
    ended = alarm.c.ended_at.is_not(None) & alarm.c.end_told_at.is_(None) & (alarm.c.told > 0)
    return await _select(connection, or_(alarm.c.ended_at.is_(None), ended))


async def begin(connection: AsyncConnection, code: str, subject: str, detail: str, at: int) -> bool:
    """False when it goes on already; then it says what is so now."""
    same = (alarm.c.code == code, alarm.c.subject == subject, alarm.c.ended_at.is_(None))
    changed = await connection.execute(update(alarm).where(*same).values(detail=detail))
    if changed.rowcount:
        return False
    await connection.execute(insert(alarm).values(code=code, subject=subject, detail=detail, since=at))
    return True


async def end_all_but(connection: AsyncConnection, still: Iterable[int], at: int) -> int:
    """Their number."""
    ended = await connection.execute(
        update(alarm).where(alarm.c.ended_at.is_(None), alarm.c.id.not_in(list(still))).values(ended_at=at)
    )
    return int(ended.rowcount)


async def claim(connection: AsyncConnection, item: Alarm, at: int) -> bool:
    """Take it upon oneself to tell this; False when another process was faster."""
    unchanged = (alarm.c.id == item.id, alarm.c.told == item.told)
    if item.ended_at is None:
        change = (
            update(alarm).where(*unchanged, alarm.c.ended_at.is_(None)).values(told=item.told + 1, told_at=at)
        )
    else:
        change = update(alarm).where(*unchanged, alarm.c.end_told_at.is_(None)).values(end_told_at=at)
    return bool((await connection.execute(change)).rowcount)


async def give_back(connection: AsyncConnection, item: Alarm) -> None:
    """Nobody could be told after all: it is as it was before the claim."""
    before = {"told": item.told, "told_at": item.told_at} if item.ended_at is None else {"end_told_at": None}
    await connection.execute(update(alarm).where(alarm.c.id == item.id).values(**before))


async def _select(connection: AsyncConnection, condition: object, limit: int = 500) -> list[Alarm]:
    rows = await connection.execute(select(alarm).where(condition).order_by(alarm.c.id).limit(limit))  # type: ignore[arg-type]
    return [_alarm(row) for row in rows]


def _alarm(row: Row[tuple[object, ...]]) -> Alarm:
    return Alarm(
        row.id,
        row.code,
        row.subject,
        row.detail,
        row.since,
        row.told,
        row.told_at,
        row.ended_at,
        row.end_told_at,
    )
