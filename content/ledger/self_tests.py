"""Self-tests (自己点検): each with its dated proof, account by account, which stays when the ledger forgets.

The daily one is a row of its own time, so that of several processes one sends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    Row,
    Table,
    Text,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, insert_unless_known, metadata

self_test = Table(
    "self_test",
    metadata,
    Column("id", Id, primary_key=True),
    Column("due_at", BigInteger, nullable=False, unique=True),
    Column("begun_by", Text, nullable=False),
    Column("notice_id", Id, ForeignKey("notice.id"), nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("passed", Boolean),
)

self_test_account = Table(
    "self_test_account",
    metadata,
    Column("self_test_id", Id, ForeignKey("self_test.id"), primary_key=True, autoincrement=False),
    Column("account", Text, primary_key=True),
    # Seed addresses when it began.
    Column("expected", Integer, nullable=False),
    Column("planned", Integer, nullable=False, server_default="0"),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("unknown", Integer, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    # From the beginning to the last acceptance.
    Column("milliseconds", BigInteger),
)


@dataclass(frozen=True, slots=True)
class AccountProof:
    """What became of a self-test on one account. It passed when everybody expected was accepted."""

    account: str
    expected: int
    planned: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    reason: str = ""
    milliseconds: int | None = None

    @property
    def passed(self) -> bool:
        return self.accepted == self.planned == self.expected


@dataclass(frozen=True, slots=True)
class SelfTest:
    """`passed` is None while it goes on."""

    id: int
    due_at: int
    begun_by: str
    notice_id: int
    begun_at: int
    ended_at: int | None
    passed: bool | None
    accounts: tuple[AccountProof, ...]


async def was_begun(connection: AsyncConnection, due_at: int) -> bool:
    """Whether there is one of this time."""
    found = await connection.scalar(select(self_test.c.id).where(self_test.c.due_at == due_at))
    return found is not None


async def begin(
    connection: AsyncConnection,
    *,
    due_at: int,
    begun_by: str,
    notice_id: int,
    expected: Mapping[str, int],
    at: int,
) -> int | None:
    """Its number; None when there is one of this time already: then nothing of this transaction may stay."""
    new_id = await connection.scalar(
        insert_unless_known(connection, self_test)
        .values(due_at=due_at, begun_by=begun_by, notice_id=notice_id, begun_at=at)
        .on_conflict_do_nothing(index_elements=["due_at"])
        .returning(self_test.c.id)
    )
    if new_id is None:
        return None
    await connection.execute(
        insert(self_test_account),
        [
            {"self_test_id": new_id, "account": account, "expected": number}
            for account, number in expected.items()
        ],
    )
    return int(new_id)


async def end(
    connection: AsyncConnection, self_test_id: int, proofs: Iterable[AccountProof], *, at: int
) -> bool:
    """Write the proof down; False when somebody else has."""
    proofs = list(proofs)
    ended = await connection.execute(
        update(self_test)
        .where(self_test.c.id == self_test_id, self_test.c.ended_at.is_(None))
        .values(ended_at=at, passed=all(item.passed for item in proofs))
    )
    if not ended.rowcount:
        return False
    for item in proofs:
        await connection.execute(
            update(self_test_account)
            .where(
                self_test_account.c.self_test_id == self_test_id, self_test_account.c.account == item.account
            )
            .values(
                planned=item.planned,
                accepted=item.accepted,
                refused=item.refused,
                unknown=item.unknown,
                reason=item.reason,
                milliseconds=item.milliseconds,
            )
        )
    return True


async def going_on(connection: AsyncConnection) -> list[SelfTest]:
    return await _select(connection, self_test.c.ended_at.is_(None))


async def newest(connection: AsyncConnection, limit: int = 1, before: int | None = None) -> list[SelfTest]:
    """The newest first; `before` pages on from a number."""
    return await _select(connection, self_test.c.id < before if before is not None else true(), limit)


async def last_ended(connection: AsyncConnection) -> SelfTest | None:
    found = await _select(connection, self_test.c.ended_at.is_not(None), 1)
    return found[0] if found else None


async def get(connection: AsyncConnection, self_test_id: int) -> SelfTest | None:
    found = await _select(connection, self_test.c.id == self_test_id, 1)
    return found[0] if found else None


async def _select(
    connection: AsyncConnection, condition: ColumnElement[bool], limit: int = 100
) -> list[SelfTest]:
    rows = (
        await connection.execute(
            select(self_test).where(condition).order_by(self_test.c.id.desc()).limit(limit)
        )
    ).all()
    proofs: dict[int, list[AccountProof]] = {row.id: [] for row in rows}
    accounts = await connection.execute(
        select(self_test_account)
        .where(self_test_account.c.self_test_id.in_(list(proofs)))
        .order_by(self_test_account.c.account)
    )
    for row in accounts:
        proofs[row.self_test_id].append(_proof(row))
    return [
        SelfTest(
            row.id,
            row.due_at,
            row.begun_by,
            row.notice_id,
            row.begun_at,
            row.ended_at,
            row.passed,
            tuple(proofs[row.id]),
        )
        for row in rows
    ]


def _proof(row: Row[tuple[object, ...]]) -> AccountProof:
    return AccountProof(
        row.account,
        row.expected,
        row.planned,
        row.accepted,
        row.refused,
        row.unknown,
        row.reason,
        row.milliseconds,
    )
