"""Staff: who may enter the console, and what each may do there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Row, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata
from content.staff import machines
from content.staff.rights import Right, rights_of, role_of

LONGEST_LOGIN = 100

staff_member = Table(
    "staff_member",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    # Devices that signed in before this moment are strangers again.
    Column("password_set_at", BigInteger, nullable=False, server_default="0"),
    # Raised at every logout, reset and end of access: sessions of an older number end.
    Column("session_number", Integer, nullable=False, server_default="1"),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)


class NotAllowed(Exception):
    """The one who acts has no right to do this, or has it no longer; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Staff:
    id: int
    login: str
    session_number: int
    rights: frozenset[Right] = frozenset()
    created_at: int = field(default=0, compare=False)
    disabled_at: int | None = None

    @property
    def role(self) -> str:
        """The role whose rights these are exactly; empty for rights of one's own."""
        return role_of(self.rights)

    def may(self, permission: str, category: str | None = None, department: str | None = None) -> bool:
        """Whether this is allowed there; without a category or department: anywhere."""
        return any(right.allows(permission, category, department) for right in self.rights)

    def categories(self, permission: str) -> frozenset[str] | None:
        """Where this is allowed; None for everywhere."""
        found = [right.covers for right in self.rights if right.permission == permission]
        if None in found:
            return None
        return frozenset().union(*(covers for covers in found if covers is not None))

    def may_any(self, permissions: Iterable[str], category: str | None = None) -> bool:
        return any(self.may(permission, category) for permission in permissions)


def is_login(name: str) -> bool:
    """Whether somebody may be called so: one word that can be typed and read."""
    return 0 < len(name) <= LONGEST_LOGIN and name.isprintable() and not any(map(str.isspace, name))


async def get(connection: AsyncConnection, staff_id: int) -> Staff | None:
    """None also when the member is disabled."""
    return await _one(connection, staff_member.c.id == staff_id, staff_member.c.disabled_at.is_(None))


async def get_any(connection: AsyncConnection, staff_id: int) -> Staff | None:
    """Also one who is disabled."""
    return await _one(connection, staff_member.c.id == staff_id)


async def find(connection: AsyncConnection, login: str) -> Staff | None:
    """None also when the member is disabled."""
    return await _one(connection, staff_member.c.login == login, staff_member.c.disabled_at.is_(None))


async def find_any(connection: AsyncConnection, login: str) -> Staff | None:
    """Also one who is disabled."""
    return await _one(connection, staff_member.c.login == login)


async def everybody(connection: AsyncConnection) -> list[Staff]:
    """Disabled members too, in the order in which they were added."""
    rows = (await connection.execute(select(staff_member).order_by(staff_member.c.id))).all()
    rights = await rights_of(connection, [row.id for row in rows])
    return [as_staff(row, rights[row.id]) for row in rows]


async def require(connection: AsyncConnection, actor: str, permission: str, category: str | None) -> None:
    """Within the transaction of the act itself. Raises NotAllowed.

    `actor` is a member's login, or a machine with a key. Whoever is neither, such as the one at the command
    line, has the whole machine and with it every right; neither members nor keys are ever deleted, so nobody
    becomes such a one by leaving.
    """
    if machines.is_machine(actor):
        caller = await machines.acting(connection, actor)
        if caller is None or category is None or not caller.may(permission, category):
            raise NotAllowed(f"{permission} {category or ''}".strip())
        return
    # Locked, so that an act and the end of its right stand one after the other.
    row = (
        await connection.execute(
            select(staff_member).where(staff_member.c.login == actor).with_for_update(read=True)
        )
    ).one_or_none()
    if row is None:
        return
    member = await _with_rights(connection, row)
    if member.disabled_at is not None or not member.may(permission, category):
        raise NotAllowed(f"{permission} {category or ''}".strip())


async def _one(connection: AsyncConnection, *conditions: Any) -> Staff | None:
    row = (await connection.execute(select(staff_member).where(*conditions))).one_or_none()
    return None if row is None else await _with_rights(connection, row)


async def _with_rights(connection: AsyncConnection, row: Row[Any]) -> Staff:
    return as_staff(row, (await rights_of(connection, [row.id]))[row.id])


def as_staff(row: Row[Any], rights: frozenset[Right] = frozenset()) -> Staff:
    return Staff(row.id, row.login, row.session_number, rights, row.created_at, row.disabled_at)
