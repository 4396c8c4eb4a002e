"""Pictures (画像) in the database: it carries them to every machine, into every copy and to another database.

Each once, by its content. A picture that no version of a notice and no kept form names any more goes after a while.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import insert_unless_known, metadata
from content.notices.attachments import names_in
from content.notices.kept_forms import kept_form
from content.notices.notices import notice_version

# Longer than a form takes from its picture to its draft.
UNUSED_FOR = 2 * DAY
TYPES = {"jpg": "image/jpeg", "png": "image/png"}

picture = Table(
    "picture",
    metadata,
    # The beginning of the SHA-256 of its content, its size and its type.
    Column("name", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    # When it was added, or last given to a version of a notice.
    Column("used_at", BigInteger, nullable=False),
)


class MissingPicture(Exception):
    """A version names a picture that is not there (any more)."""


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """A picture as it may be shown: made anew from its pixels, without anything that the file said besides."""

    content: bytes = field(repr=False)
    width: int
    height: int
    suffix: str

    @property
    def name(self) -> str:
        digest = hashlib.sha256(self.content).hexdigest()[:40]
        return f"{digest}-{self.width}x{self.height}.{self.suffix}"


async def keep(connection: AsyncConnection, clean: CleanPicture, *, at: int) -> str:
    """Its name. The same picture again is the same one."""
    kept = await connection.execute(
        insert_unless_known(connection, picture)
        .values(name=clean.name, content=clean.content, used_at=at)
        .on_conflict_do_nothing()
    )
    if not kept.rowcount:
        await use(connection, [clean.name], at=at)
    return clean.name


async def use(connection: AsyncConnection, names: Collection[str], *, at: int) -> None:
    """In the transaction that writes a version with these pictures. Raises MissingPicture."""
    if not names:
        return
    # Locks them as well: whoever clears away at this moment waits, and then finds them in use.
    used = await connection.execute(update(picture).where(picture.c.name.in_(names)).values(used_at=at))
    if used.rowcount < len(set(names)):
        raise MissingPicture


async def missing(connection: AsyncConnection, names: Collection[str]) -> list[str]:
    """Those of these names that are no pictures here."""
    found = set(await connection.scalars(select(picture.c.name).where(picture.c.name.in_(names))))
    return [name for name in names if name not in found]


async def content_of(connection: AsyncConnection, name: str) -> bytes | None:
    return await connection.scalar(select(picture.c.content).where(picture.c.name == name))


async def forget_unused(connection: AsyncConnection, now: int) -> int:
    """Delete pictures that nothing names and that were not used for a while; how many."""
    old = set(await connection.scalars(select(picture.c.name).where(picture.c.used_at < now - UNUSED_FOR)))
    if not old:
        return 0
    attached = await connection.scalars(
        select(notice_version.c.attached).where(notice_version.c.attached != "")
    )
    forms = await connection.scalars(select(kept_form.c.fields))
    unused = old - names_in(attached) - names_in(forms)
    gone = await connection.execute(
        delete(picture).where(picture.c.name.in_(unused), picture.c.used_at < now - UNUSED_FOR)
    )
    return gone.rowcount
