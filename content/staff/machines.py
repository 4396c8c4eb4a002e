"""Machines that may post notices: each has a key of its own (接続キー) and rights, like a member of staff.

A key belongs to one department, says what it allows and in which categories, ends by itself, and is kept as a
hash. A machine acts under a name that no member can have, so that its acts are told from those of hands.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import MINUTE
from content.database import Id, metadata, one_of
from content.staff.rights import Department, Permission, Right, departments, right_in

# The space keeps it apart from every login, which has none.
PREFIX = "機械 "
# What a secret found in a repository or a log is known by.
SIGN = "kairan_"
LONGEST_NAME = 40
MOST_PER_HOUR = 1_000
# So often at most is written down that a key was used.
USE_NOTED_EVERY = MINUTE
GIVEN_TO_MACHINES = (
    Permission.SEE,
    Permission.WRITE,
    Permission.APPROVE,
    Permission.SEND_URGENT,
    Permission.EVERYONE,
)

machine = Table(
    "machine",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("department", Text, ForeignKey("department.key"), nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    # Networks that it may come from, separated by spaces; "" for any.
    Column("networks", Text, nullable=False, server_default=""),
    Column("per_hour", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("ended_at", BigInteger),
)

machine_right = Table(
    "machine_right",
    metadata,
    Column("machine_id", Id, ForeignKey("machine.id"), primary_key=True, autoincrement=False),
    Column("permission", Text, primary_key=True),
    # Empty: all that the department has.
    Column("category", Text, primary_key=True, server_default=""),
    CheckConstraint(one_of("permission", Permission), name="permission"),
)


class MachineRefused(ValueError):
    """Such a key cannot be made. `field` is name, department, permission, category, networks, per_hour or expires."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Machine:
    """One key, and what it allows at the moment."""

    id: int
    name: str
    department: str
    rights: frozenset[Right]
    networks: str
    per_hour: int
    created_by: str
    created_at: int
    expires_at: int
    last_used_at: int | None
    ended_at: int | None

    @property
    def actor(self) -> str:
        """As it stands in the audit trail and on the notices that it posts."""
        return f"{PREFIX}{self.name}"

    def may(self, permission: str, category: str) -> bool:
        return any(right.allows(permission, category, None) for right in self.rights)

    def is_good(self, now: int) -> bool:
        return self.ended_at is None and now < self.expires_at

    def comes_from(self, address: str) -> bool:
        """Whether it may be called from there."""
        if not self.networks:
            return True
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None)
        return any((mapped or found) in ip_network(item) for item in self.networks.split())


def is_machine(actor: str | None) -> bool:
    """Whether this is not a person's doing."""
    return bool(actor) and str(actor).startswith(PREFIX)


def hash_of(token: str) -> bytes:
    """As it is kept. Random enough for a quick hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def read_networks(text: str) -> str:
    """Addresses and networks, by commas or spaces, as they are kept. Raises MachineRefused."""
    parts = text.replace(",", " ").replace("、", " ").split()
    try:
        return " ".join(str(ip_network(part, strict=False)) for part in parts)
    except ValueError as error:
        raise MachineRefused(
            "networks", "接続元は、192.0.2.10 や 192.0.2.0/24 のように書いてください。"
        ) from error


async def add(
    connection: AsyncConnection,
    *,
    name: str,
    department: str,
    permissions: Iterable[str],
    categories: Iterable[str],
    networks: str,
    per_hour: int,
    expires_at: int,
    by: str,
    at: int,
) -> tuple[int, str]:
    """The id and the key itself, to be shown once. Without categories: all of the department. Raises MachineRefused."""
    given, chosen = sorted(set(permissions)), sorted(set(categories)) or [""]
    kept = read_networks(networks)
    await _refuse(connection, name, department, given, chosen)
    if not 1 <= per_hour <= MOST_PER_HOUR:
        raise MachineRefused("per_hour", f"1時間の上限は、1〜{MOST_PER_HOUR}の数にしてください。")
    if expires_at <= at:
        raise MachineRefused("expires", "期限は、今日より先の日にしてください。")
    token = SIGN + secrets.token_urlsafe(32)
    machine_id = await connection.scalar(
        insert(machine)
        .values(
            name=name,
            department=department,
            token_hash=hash_of(token),
            networks=kept,
            per_hour=per_hour,
            created_by=by,
            created_at=at,
            expires_at=expires_at,
        )
        .returning(machine.c.id)
    )
    assert machine_id is not None
    await connection.execute(
        insert(machine_right),
        [
            {"machine_id": machine_id, "permission": permission, "category": category}
            for permission in given
            for category in chosen
        ],
    )
    return int(machine_id), token


async def end(connection: AsyncConnection, machine_id: int, *, at: int) -> bool:
    """The key is good for nothing any more; False when it had ended before, or there is none."""
    ended = await connection.execute(
        update(machine).where(machine.c.id == machine_id, machine.c.ended_at.is_(None)).values(ended_at=at)
    )
    return bool(ended.rowcount)


async def note_use(connection: AsyncConnection, machine_id: int, *, at: int) -> None:
    await connection.execute(update(machine).where(machine.c.id == machine_id).values(last_used_at=at))


async def everyone(connection: AsyncConnection) -> list[Machine]:
    """Also those that have ended, in the order in which they were made."""
    rows = (await connection.execute(select(machine).order_by(machine.c.id))).all()
    return [await _with_rights(connection, row) for row in rows]


async def get(connection: AsyncConnection, machine_id: int) -> Machine | None:
    return await _one(connection, machine.c.id == machine_id)


async def find_by_name(connection: AsyncConnection, name: str) -> Machine | None:
    return await _one(connection, machine.c.name == name)


async def find_by_token(connection: AsyncConnection, token: str) -> Machine | None:
    """Whoever holds this key, also when it is no good any more."""
    return await _one(connection, machine.c.token_hash == hash_of(token))


async def acting(connection: AsyncConnection, actor: str) -> Machine | None:
    """The machine that acts under this name; its key cannot be ended before the transaction is."""
    row = (
        await connection.execute(
            select(machine).where(machine.c.name == actor.removeprefix(PREFIX)).with_for_update(read=True)
        )
    ).one_or_none()
    return None if row is None or row.ended_at is not None else await _with_rights(connection, row)


async def _refuse(
    connection: AsyncConnection, name: str, department: str, given: list[str], chosen: list[str]
) -> None:
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != " ".join(name.split()):
        raise MachineRefused("name", f"名前を、{LONGEST_NAME}文字までで書いてください。")
    if await find_by_name(connection, name):
        raise MachineRefused(
            "name", f"「{name}」は使われています(終わったものも含みます)。別の名前にしてください。"
        )
    owner = next((item for item in await departments(connection) if item.key == department), None)
    if owner is None:
        raise MachineRefused("department", "課を選んでください。")
    if not given or set(given) - set(GIVEN_TO_MACHINES):
        raise MachineRefused("permission", "できることを、1つ以上選んでください。")
    if chosen != [""] and owner.categories is not None and set(chosen) - owner.categories:
        raise MachineRefused("category", f"{owner.name}が持つ分野から選んでください。")


async def _one(connection: AsyncConnection, condition: ColumnElement[bool]) -> Machine | None:
    row = (await connection.execute(select(machine).where(condition))).one_or_none()
    return None if row is None else await _with_rights(connection, row)


async def _with_rights(connection: AsyncConnection, row: Row[Any]) -> Machine:
    owner = next(item for item in await departments(connection) if item.key == row.department)
    given = await connection.execute(select(machine_right).where(machine_right.c.machine_id == row.id))
    return Machine(
        row.id,
        row.name,
        row.department,
        frozenset(_right(owner, item) for item in given),
        row.networks,
        row.per_hour,
        row.created_by,
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.ended_at,
    )


def _right(owner: Department, row: Row[Any]) -> Right:
    return right_in(owner, row.permission, row.category)
