"""Kept forms (書きかけ): what somebody has typed and not yet stored as a draft, so that nothing typed is lost.

Not checked at all: half a notice is kept too. It belongs to whoever typed it, and goes when the draft is stored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Table, Text, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import Id, metadata

KEEP = 14 * DAY
MOST = 20

kept_form = Table(
    "kept_form",
    metadata,
    Column("key", Text, primary_key=True),
    Column("staff_id", Id, nullable=False),
    # The draft that is being changed, None for a new notice.
    Column("notice_id", Id),
    Column("fields", Text, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    Index(None, "staff_id", "kept_at"),
)


@dataclass(frozen=True, slots=True)
class KeptForm:
    key: str
    notice_id: int | None
    fields: tuple[tuple[str, str], ...]
    kept_at: int

    @property
    def title(self) -> str:
        return dict(self.fields).get("title.ja", "").strip()


async def keep(
    connection: AsyncConnection,
    key: str,
    *,
    staff_id: int,
    notice_id: int | None,
    fields: list[tuple[str, str]],
    at: int,
) -> None:
    """The newest words of this form; the oldest forms of the same person go."""
    await forget(connection, key, staff_id)
    taken = await connection.scalar(select(kept_form.c.staff_id).where(kept_form.c.key == key))
    if taken is not None:
        # Somebody else's form of the same key is nobody's to overwrite.
        return
    await connection.execute(
        insert(kept_form).values(
            key=key,
            staff_id=staff_id,
            notice_id=notice_id,
            fields=json.dumps(fields, ensure_ascii=False),
            kept_at=at,
        )
    )
    mine = await connection.execute(
        select(kept_form.c.key, kept_form.c.kept_at)
        .where(kept_form.c.staff_id == staff_id)
        .order_by(kept_form.c.kept_at.desc())
    )
    old = [row.key for place, row in enumerate(mine) if place >= MOST or row.kept_at < at - KEEP]
    if old:
        await connection.execute(delete(kept_form).where(kept_form.c.key.in_(old)))


async def forget(connection: AsyncConnection, key: str, staff_id: int) -> bool:
    gone = await connection.execute(
        delete(kept_form).where(kept_form.c.key == key, kept_form.c.staff_id == staff_id)
    )
    return bool(gone.rowcount)


async def find(connection: AsyncConnection, key: str, staff_id: int) -> KeptForm | None:
    found = [item for item in await of_staff(connection, staff_id) if item.key == key]
    return found[0] if found else None


async def of_staff(connection: AsyncConnection, staff_id: int) -> list[KeptForm]:
    """The newest first."""
    rows = await connection.execute(
        select(kept_form).where(kept_form.c.staff_id == staff_id).order_by(kept_form.c.kept_at.desc())
    )
    return [
        KeptForm(
            row.key,
            row.notice_id,
            tuple((name, value) for name, value in json.loads(row.fields)),
            row.kept_at,
        )
        for row in rows
    ]
