"""Staff: who may enter the console, with which role, and the lock after wrong passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Table, Text, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import MINUTE
from content.database import Database, Id, metadata

Role = Literal["viewer", "editor", "administrator"]
ROLES: tuple[str, ...] = get_args(Role)
# What each role may do; a route names one of these and nothing else.
PERMISSIONS: dict[str, frozenset[str]] = {
    "viewer": frozenset({"see"}),
    "editor": frozenset({"see", "write", "send"}),
    "administrator": frozenset({"see", "write", "send", "administer"}),
}
TRIES_BEFORE_LOCK = 5
LOCK_FOR = 5 * MINUTE
MIN_PASSWORD = 10
# Hashing has threads of its own: however many people log in, alerts go out through the others.
HASHING_THREADS = 2

Result = TypeVar("Result")

staff_member = Table(
    "staff_member",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", BigInteger, nullable=False, server_default="0"),
    # Raised at every logout and password change: sessions of an older number end.
    Column("session_number", Integer, nullable=False, server_default="1"),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    CheckConstraint("role IN ('viewer', 'editor', 'administrator')", name="role"),
)

_hasher = PasswordHasher()
_hashing = ThreadPoolExecutor(HASHING_THREADS, thread_name_prefix="password")
# Checked when the login is unknown, so that the answer takes as long as for a known one.
_NOBODY = _hasher.hash("nobody has this password")


@dataclass(frozen=True, slots=True)
class Staff:
    id: int
    login: str
    role: str
    session_number: int

    def may(self, permission: str) -> bool:
        return permission in PERMISSIONS[self.role]


class PasswordTooShort(ValueError):
    """The password has fewer than MIN_PASSWORD characters."""


class Locked(Exception):
    """Too many wrong passwords; `until` is when the next try is allowed, in ms."""

    def __init__(self, until: int) -> None:
        super().__init__("locked")
        self.until = until


async def add(connection: AsyncConnection, *, login: str, password: str, role: str, at: int) -> int:
    """Raises PasswordTooShort; IntegrityError when the login exists."""
    if len(password) < MIN_PASSWORD:
        raise PasswordTooShort(f"パスワードは{MIN_PASSWORD}文字以上にしてください。")
    new_id = await connection.scalar(
        insert(staff_member)
        .values(
            login=login,
            password_hash=await _aside(_hasher.hash, password),
            role=role,
            created_at=at,
        )
        .returning(staff_member.c.id)
    )
    assert new_id is not None
    return int(new_id)


async def log_in(database: Database, login: str, password: str, now: int) -> Staff | None:
    """The member of staff, or None when login and password do not fit. Raises Locked."""
    async with database.read() as connection:
        row = (
            await connection.execute(
                select(staff_member).where(
                    staff_member.c.login == login, staff_member.c.disabled_at.is_(None)
                )
            )
        ).one_or_none()
    if row is not None and row.locked_until > now:
        raise Locked(row.locked_until)
    fits = await _aside(_fits, row.password_hash if row else _NOBODY, password)
    if row is None:
        return None
    async with database.write() as connection:
        await _count_try(connection, row.id, fits, now)
    return Staff(row.id, row.login, row.role, row.session_number) if fits else None


async def get(connection: AsyncConnection, staff_id: int) -> Staff | None:
    row = (
        await connection.execute(
            select(staff_member).where(staff_member.c.id == staff_id, staff_member.c.disabled_at.is_(None))
        )
    ).one_or_none()
    return None if row is None else Staff(row.id, row.login, row.role, row.session_number)


async def find(connection: AsyncConnection, login: str) -> Staff | None:
    row = (
        await connection.execute(
            select(staff_member).where(staff_member.c.login == login, staff_member.c.disabled_at.is_(None))
        )
    ).one_or_none()
    return None if row is None else Staff(row.id, row.login, row.role, row.session_number)


async def end_sessions(connection: AsyncConnection, staff_id: int) -> None:
    """Every session of this member ends, on every machine."""
    await connection.execute(
        update(staff_member)
        .where(staff_member.c.id == staff_id)
        .values(session_number=staff_member.c.session_number + 1)
    )


async def _count_try(connection: AsyncConnection, staff_id: int, fits: bool, now: int) -> None:
    """On the row as it is now: other tries may have come while this one was being hashed. Raises Locked."""
    this = staff_member.c.id == staff_id
    row = (await connection.execute(select(staff_member).where(this).with_for_update())).one()
    if row.locked_until > now:
        raise Locked(row.locked_until)
    await connection.execute(update(staff_member).where(this).values(**_after_try(row.failures, fits, now)))


def _after_try(failures: int, fits: bool, now: int) -> dict[str, int]:
    if fits:
        return {"failures": 0, "locked_until": 0}
    if failures + 1 >= TRIES_BEFORE_LOCK:
        return {"failures": 0, "locked_until": now + LOCK_FOR}
    return {"failures": failures + 1}


async def _aside(work: Callable[..., Result], *values: str) -> Result:
    return await asyncio.get_running_loop().run_in_executor(_hashing, work, *values)


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
