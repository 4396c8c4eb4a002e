"""Notes to members of staff: that a notice waits for them, or what became of one that they wrote.

A note is a row from the act that it tells of, in the same transaction, until it went out or nobody has to hear
of it any more. It holds no words and no address: both are found when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import MINUTE
from content.database import Id, metadata, one_of
from content.database.identity import NOT_HELD

# While nothing takes it: after 2 minutes, 4 more, 6 more, for about an hour.
TRIES = 7
TRY_AGAIN = 2 * MINUTE


class NoteKind(StrEnum):
    """What a note tells of."""

    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REVIEW = "review"


staff_note = Table(
    "staff_note",
    metadata,
    Column("id", Id, primary_key=True),
    Column("staff_id", Id, ForeignKey("staff_member.id"), nullable=False),
    Column("notice_id", Id, ForeignKey("notice.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False, index=True),
    Column("tries", Integer, nullable=False, server_default="0"),
    CheckConstraint(one_of("kind", NoteKind), name="kind"),
)


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    staff_id: int
    notice_id: int
    kind: NoteKind
    due_at: int
    tries: int


async def add(
    connection: AsyncConnection, staff_ids: Iterable[int], notice_id: int, kind: NoteKind, *, due: int
) -> None:
    """One for each of these members."""
    rows = [
        {"staff_id": staff_id, "notice_id": notice_id, "kind": kind, "due_at": due} for staff_id in staff_ids
    ]
    if rows:
        await connection.execute(insert(staff_note), rows)


async def due(connection: AsyncConnection, at: int, most: int) -> list[Note]:
    """The longest due first."""
    rows = await connection.execute(
        select(staff_note)
        .where(staff_note.c.due_at <= at, NOT_HELD)
        .order_by(staff_note.c.due_at, staff_note.c.id)
        .limit(most)
    )
    return [
        Note(row.id, row.staff_id, row.notice_id, NoteKind(row.kind), row.due_at, row.tries) for row in rows
    ]


async def claim(connection: AsyncConnection, note: Note, at: int) -> bool:
    """Take it upon oneself to send this; False when another process was faster. It is due again, unless it ends."""
    tries = note.tries + 1
    claimed = await connection.execute(
        update(staff_note)
        .where(staff_note.c.id == note.id, staff_note.c.tries == note.tries)
        .values(tries=tries, due_at=at + tries * TRY_AGAIN)
    )
    return bool(claimed.rowcount)


async def end(connection: AsyncConnection, note_id: int) -> None:
    """It went out, or nobody has to hear of it."""
    await connection.execute(delete(staff_note).where(staff_note.c.id == note_id))
