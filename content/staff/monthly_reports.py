"""The month's counts by mail (月報): who gets them for which department, and what became of each.

Nobody gets any until somebody of the staff says so. A mail is a row from the moment it is due, made once for each month,
department and member, so no restart and no second process sends it anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    Row,
    Table,
    Text,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import HOUR, MINUTE
from content.database import Id, insert_unless_known, metadata, one_of
from content.database.identity import NOT_HELD

# While no server takes it: after 2 minutes, 4 more and so on, then each hour, for two days.
TRIES = 55
TRY_AGAIN, LONGEST_WAIT = 2 * MINUTE, HOUR


class MonthlyState(StrEnum):
    """Due, sent, or ended without: no mailbox, no longer wanted, no server for two days."""

    DUE = "due"
    SENT = "sent"
    NO_MAILBOX = "no_mailbox"
    NOT_WANTED = "not_wanted"
    GIVEN_UP = "given_up"


monthly_reader = Table(
    "monthly_reader",
    metadata,
    Column("department", Text, ForeignKey("department.key"), primary_key=True),
    Column("staff_id", Id, ForeignKey("staff_member.id"), primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
)

monthly_mail = Table(
    "monthly_mail",
    metadata,
    # The first day of the month that it tells of.
    Column("month", Text, primary_key=True),
    Column("department", Text, ForeignKey("department.key"), primary_key=True),
    Column("staff_id", Id, ForeignKey("staff_member.id"), primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    CheckConstraint(one_of("state", MonthlyState), name="state"),
)


@dataclass(frozen=True, slots=True)
class MonthlyMail:
    """`due_at` (ms) is when it is tried next, or was settled."""

    month: date
    department: str
    staff_id: int
    state: MonthlyState
    due_at: int
    tries: int


async def readers(connection: AsyncConnection, department: str) -> dict[int, int]:
    """staff id → since when (ms)."""
    rows = await connection.execute(select(monthly_reader).where(monthly_reader.c.department == department))
    return {row.staff_id: row.since for row in rows}


async def set_readers(
    connection: AsyncConnection, department: str, staff_ids: Collection[int], *, at: int
) -> bool:
    """These and no others; False when it was so already."""
    before = set(await readers(connection, department))
    if before == set(staff_ids):
        return False
    mine = monthly_reader.c.department == department
    await connection.execute(delete(monthly_reader).where(mine, monthly_reader.c.staff_id.not_in(staff_ids)))
    new = [{"department": department, "staff_id": one, "since": at} for one in set(staff_ids) - before]
    if new:
        await connection.execute(
            insert_unless_known(connection, monthly_reader).on_conflict_do_nothing(), new
        )
    return True


async def not_planned(connection: AsyncConnection, month: date, due_at: int) -> list[tuple[str, int]]:
    """(department, staff id) of everybody who wanted the report when it was due, and for whom there is no mail yet."""
    planned = exists().where(
        monthly_mail.c.month == month.isoformat(),
        monthly_mail.c.department == monthly_reader.c.department,
        monthly_mail.c.staff_id == monthly_reader.c.staff_id,
    )
    rows = await connection.execute(
        select(monthly_reader.c.department, monthly_reader.c.staff_id).where(
            monthly_reader.c.since <= due_at, ~planned, NOT_HELD
        )
    )
    return [(row.department, row.staff_id) for row in rows]


async def plan(
    connection: AsyncConnection, month: date, wanted: Collection[tuple[str, int]], *, at: int
) -> None:
    """Each once, whoever else plans it at the same moment."""
    await connection.execute(
        insert_unless_known(connection, monthly_mail).on_conflict_do_nothing(),
        [
            {
                "month": month.isoformat(),
                "department": department,
                "staff_id": staff_id,
                "state": MonthlyState.DUE,
                "due_at": at,
            }
            for department, staff_id in wanted
        ],
    )


async def due(connection: AsyncConnection, at: int, most: int) -> list[MonthlyMail]:
    rows = await connection.execute(
        select(monthly_mail)
        .where(monthly_mail.c.state == MonthlyState.DUE, monthly_mail.c.due_at <= at, NOT_HELD)
        .order_by(monthly_mail.c.due_at, monthly_mail.c.department, monthly_mail.c.staff_id)
        .limit(most)
    )
    return [_mail(row) for row in rows]


async def claim(connection: AsyncConnection, mail: MonthlyMail, at: int) -> bool:
    """Take it upon oneself to send this; False when another process was faster. It is due again, unless settled."""
    tries = mail.tries + 1
    claimed = await connection.execute(
        update(monthly_mail)
        .where(*_is(mail), monthly_mail.c.state == MonthlyState.DUE, monthly_mail.c.tries == mail.tries)
        .values(tries=tries, due_at=at + min(tries * TRY_AGAIN, LONGEST_WAIT))
    )
    return bool(claimed.rowcount)


async def settle(connection: AsyncConnection, mail: MonthlyMail, state: MonthlyState, *, at: int) -> None:
    await connection.execute(
        update(monthly_mail)
        .where(*_is(mail), monthly_mail.c.state == MonthlyState.DUE)
        .values(state=state, due_at=at)
    )


async def newest(connection: AsyncConnection, department: str) -> dict[int, MonthlyMail]:
    """staff id → the mail of the newest month."""
    rows = await connection.execute(
        select(monthly_mail).where(monthly_mail.c.department == department).order_by(monthly_mail.c.month)
    )
    return {row.staff_id: _mail(row) for row in rows}


async def is_reader(connection: AsyncConnection, mail: MonthlyMail) -> bool:
    return mail.staff_id in await readers(connection, mail.department)


def _is(mail: MonthlyMail) -> tuple[ColumnElement[bool], ...]:
    return (
        monthly_mail.c.month == mail.month.isoformat(),
        monthly_mail.c.department == mail.department,
        monthly_mail.c.staff_id == mail.staff_id,
    )


def _mail(row: Row[Any]) -> MonthlyMail:
    return MonthlyMail(
        date.fromisoformat(row.month),
        row.department,
        row.staff_id,
        MonthlyState(row.state),
        row.due_at,
        row.tries,
    )
