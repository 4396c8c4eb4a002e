"""Staff: who may enter the console, and with which role."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Row, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata

Role = Literal["viewer", "editor", "administrator"]
ROLES: tuple[str, ...] = get_args(Role)
# What each role may do; a route names one of these and nothing else.
PERMISSIONS: dict[str, frozenset[str]] = {
    "viewer": frozenset({"see"}),
    "editor": frozenset({"see", "write", "send"}),
    "administrator": frozenset({"see", "write", "send", "administer"}),
}
LONGEST_LOGIN = 100

staff_member = Table(
    "staff_member",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    # Devices that signed in before this moment are strangers again.
    Column("password_set_at", BigInteger, nullable=False, server_default="0"),
    Column("role", Text, nullable=False),
    # Raised at every logout, reset and end of access: sessions of an older number end.
    Column("session_number", Integer, nullable=False, server_default="1"),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    CheckConstraint("role IN ('viewer', 'editor', 'administrator')", name="role"),
)


@dataclass(frozen=True, slots=True)
class Staff:
    id: int
    login: str
    role: str
    session_number: int
    created_at: int = field(default=0, compare=False)
    disabled_at: int | None = None

    def may(self, permission: str) -> bool:
        return permission in PERMISSIONS[self.role]


def is_login(name: str) -> bool:
    """Whether somebody may be called so: one word that can be typed and read."""
    return 0 < len(name) <= LONGEST_LOGIN and name.isprintable() and not any(map(str.isspace, name))


async def get(connection: AsyncConnection, staff_id: int) -> Staff | None:
    """None also when the member is disabled."""
    return await _one(connection, staff_member.c.id == staff_id, staff_member.c.disabled_at.is_(None))


async def find(connection: AsyncConnection, login: str) -> Staff | None:
    """None also when the member is disabled."""
    return await _one(connection, staff_member.c.login == login, staff_member.c.disabled_at.is_(None))


async def find_any(connection: AsyncConnection, login: str) -> Staff | None:
    """Also one who is disabled."""
    return await _one(connection, staff_member.c.login == login)


async def everybody(connection: AsyncConnection) -> list[Staff]:
    """Disabled members too, in the order in which they were added."""
    rows = await connection.execute(select(staff_member).order_by(staff_member.c.id))
    return [as_staff(row) for row in rows]


async def _one(connection: AsyncConnection, *conditions: Any) -> Staff | None:
    row = (await connection.execute(select(staff_member).where(*conditions))).one_or_none()
    return None if row is None else as_staff(row)


def as_staff(row: Row[Any]) -> Staff:
    return Staff(row.id, row.login, row.role, row.session_number, row.created_at, row.disabled_at)
