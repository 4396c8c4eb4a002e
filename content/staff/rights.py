"""Rights: what somebody may do, for which department, in which categories of notices.

A department owns categories; a right that names no category holds for all that its department has. The
first department, the whole office, has every category, also one that the town profile gets tomorrow.
Administering and opening addresses concern everybody, so they are given in the whole office alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Table,
    Text,
    delete,
    false,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata, one_of

# The department that the first migration made.
OFFICE = "office"
LONGEST_NAME = 40


class Permission(StrEnum):
    """What a right allows. `everyone` and `send_urgent` come on top of writing, never instead of it. `plan`: to
    change plans, indicators and evaluation sheets, without a word to residents."""

    SEE = "see"
    WRITE = "write"
    APPROVE = "approve"
    SEND_URGENT = "send_urgent"
    EVERYONE = "everyone"
    OPEN_ADDRESS = "open_address"
    PLAN = "plan"
    ADMINISTER = "administer"


OF_THE_WHOLE_OFFICE = frozenset({Permission.OPEN_ADDRESS, Permission.ADMINISTER})
# Rights by one word, as the command line and the invitation give them: each in the whole office.
ROLES: dict[str, frozenset[Permission]] = {
    "viewer": frozenset({Permission.SEE}),
    "planner": frozenset({Permission.SEE, Permission.PLAN}),
    "editor": frozenset(
        {
            Permission.SEE,
            Permission.WRITE,
            Permission.APPROVE,
            Permission.SEND_URGENT,
            Permission.EVERYONE,
            Permission.PLAN,
        }
    ),
    "administrator": frozenset(set(Permission) - {Permission.OPEN_ADDRESS}),
}

department = Table(
    "department",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("all_categories", Boolean, nullable=False, server_default=false()),
    Column("created_at", BigInteger, nullable=False),
)

department_category = Table(
    "department_category",
    metadata,
    Column("department", Text, ForeignKey("department.key"), primary_key=True),
    Column("category", Text, primary_key=True),
)

staff_right = Table(
    "staff_right",
    metadata,
    Column("staff_id", Id, ForeignKey("staff_member.id"), primary_key=True, autoincrement=False),
    Column("department", Text, ForeignKey("department.key"), primary_key=True),
    Column("permission", Text, primary_key=True),
    # Empty: all that the department has.
    Column("category", Text, primary_key=True, server_default=""),
    CheckConstraint(one_of("permission", Permission), name="permission"),
)


class RightRefused(ValueError):
    """Such a right cannot be given; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """`covers` are the categories that it holds for at the moment, None for every one."""

    permission: str
    department: str = OFFICE
    category: str = ""
    covers: frozenset[str] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """As the audit trail and forms write it: "write:kosodate-ka:kosodate"."""
        return f"{self.permission}:{self.department}:{self.category}"

    def allows(self, permission: str, category: str | None, department: str | None) -> bool:
        return (
            self.permission == permission
            and (department is None or self.department == department)
            and (category is None or self.covers is None or category in self.covers)
        )


@dataclass(frozen=True, slots=True)
class Department:
    """`categories` is None for the whole office, which has every one."""

    key: str
    name: str
    categories: frozenset[str] | None


def of_role(role: str) -> frozenset[Right]:
    return frozenset(Right(permission) for permission in ROLES[role])


def right_in(owner: Department, permission: str, category: str) -> Right:
    """Of what a department owns at the moment, all or one category."""
    chosen = frozenset({category}) if category else owner.categories
    covers = chosen if owner.categories is None or chosen is None else chosen & owner.categories
    return Right(permission, owner.key, category, covers)


def role_of(rights: Iterable[Right]) -> str:
    """The role that these are exactly; empty when they are somebody's own."""
    given = frozenset(rights)
    return next((role for role in ROLES if of_role(role) == given), "")


async def departments(connection: AsyncConnection) -> list[Department]:
    """The whole office first, the others in the order in which they were made."""
    owned: dict[str, set[str]] = {}
    for row in await connection.execute(select(department_category)):
        owned.setdefault(row.department, set()).add(row.category)
    rows = await connection.execute(
        select(department).order_by(
            department.c.all_categories.desc(), department.c.created_at, department.c.key
        )
    )
    return [
        Department(row.key, row.name, None if row.all_categories else frozenset(owned.get(row.key, ())))
        for row in rows
    ]


async def add_department(
    connection: AsyncConnection, key: str, name: str, categories: Iterable[str], *, at: int
) -> None:
    """Raises RightRefused when key or name is taken or no key."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", key):
        raise RightRefused("課の記号は、英小文字で始まる英数字(40文字まで)にしてください。例: kosodate")
    if not name.strip() or len(name) > LONGEST_NAME:
        raise RightRefused(f"課の名前を、{LONGEST_NAME}文字までで書いてください。")
    if any(item.key == key or item.name == name for item in await departments(connection)):
        raise RightRefused(f"「{name}」({key})と同じ名前か記号の課が、もうあります。")
    await connection.execute(insert(department).values(key=key, name=name, created_at=at))
    await set_categories(connection, key, categories)


async def set_categories(connection: AsyncConnection, key: str, categories: Iterable[str]) -> None:
    """What the department owns from now on. Raises RightRefused for the whole office, which has all."""
    if key == OFFICE:
        raise RightRefused("全庁は、すべての分野を持ちます。変えられません。")
    await connection.execute(delete(department_category).where(department_category.c.department == key))
    owned = [{"department": key, "category": item} for item in sorted(set(categories))]
    if owned:
        await connection.execute(insert(department_category), owned)


async def rights_of(connection: AsyncConnection, staff_ids: Iterable[int]) -> dict[int, frozenset[Right]]:
    """The rights of each of these members."""
    found: dict[int, set[Right]] = {staff_id: set() for staff_id in staff_ids}
    known = {item.key: item for item in await departments(connection)}
    rows = await connection.execute(select(staff_right).where(staff_right.c.staff_id.in_(list(found))))
    for row in rows:
        found[row.staff_id].add(right_in(known[row.department], row.permission, row.category))
    return {staff_id: frozenset(given) for staff_id, given in found.items()}


async def give(connection: AsyncConnection, staff_id: int, rights: Iterable[Right]) -> None:
    """These rights and no others, in place of those of before. Raises RightRefused."""
    wanted = sorted(set(rights))
    for item in wanted:
        if item.permission in OF_THE_WHOLE_OFFICE and (item.department != OFFICE or item.category):
            raise RightRefused("管理と宛先の閲覧は、課や分野ごとには与えられません。全庁で与えてください。")
    await connection.execute(delete(staff_right).where(staff_right.c.staff_id == staff_id))
    if wanted:
        await connection.execute(
            insert(staff_right),
            [
                {
                    "staff_id": staff_id,
                    "department": item.department,
                    "permission": item.permission,
                    "category": item.category,
                }
                for item in wanted
            ],
        )
