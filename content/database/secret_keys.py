"""What the database knows of its keys: which exist, which seals, which are retired, and the keys of single purposes.

No key lies here in clear: of a key of the file there is a value that proves it, and a key of a purpose is sealed.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database.tables import metadata, one_of
from content.key_file import KeyFileError
from content.key_ring import KeyPurpose, KeyRing, PurposeKey
from content.keys import Keys

# Of the keys of the file, once there was more than one. Before, `database_identity` alone says which it is.
secret_key = Table(
    "secret_key",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("check_value", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    # From then on it seals. Not before every living process holds it.
    Column("in_force_at", BigInteger),
    Column("retired_at", BigInteger),
)

purpose_key = Table(
    "purpose_key",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("generation", Integer, primary_key=True, autoincrement=False),
    # The key and the link of the audit trail behind which it holds. Sealed together: whoever could move that
    # number could write the trail anew with an older key.
    Column("sealed", LargeBinary, nullable=False),
    Column("since", BigInteger, nullable=False),
    # What it made is believed before then; for ever without.
    Column("until", BigInteger),
    CheckConstraint(one_of("purpose", KeyPurpose), name="purpose"),
)


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key of the file, as the database knows it; times in ms."""

    number: int
    check_value: bytes = field(repr=False)
    added_at: int
    in_force_at: int | None
    retired_at: int | None


async def known_keys(connection: AsyncConnection) -> list[SecretKey]:
    """By their numbers; none as long as there was never more than one."""
    rows = await connection.execute(select(secret_key).order_by(secret_key.c.number))
    return [SecretKey(*row) for row in rows]


async def is_changing(connection: AsyncConnection) -> bool:
    """Whether addresses may stand under more than one key, or are about to."""
    return sum(key.retired_at is None for key in await known_keys(connection)) > 1


def in_force(known: Sequence[SecretKey]) -> SecretKey | None:
    """The one that seals; None as long as there was never more than one."""
    begun = [key for key in known if key.in_force_at is not None]
    return begun[-1] if begun else None


async def read_ring(connection: AsyncConnection, keys: Keys) -> KeyRing:
    """Of these keys, which are bound to the database. Raises KeyFileError when the file lacks one that is needed."""
    known = await known_keys(connection)
    for key in known:
        _refuse_missing(key, keys)
    sealing = in_force(known)
    of_purpose: dict[KeyPurpose, list[PurposeKey]] = defaultdict(list)
    for row in await connection.execute(
        select(purpose_key).order_by(purpose_key.c.purpose, purpose_key.c.generation)
    ):
        secret, _, link = keys.open(row.sealed, seal_place(row.purpose, row.generation)).partition(" ")
        of_purpose[KeyPurpose(row.purpose)].append(
            PurposeKey(row.generation, base64.b64decode(secret), row.since, row.until, int(link))
        )
    return KeyRing(
        sealing.number if sealing else 0, {purpose: tuple(found) for purpose, found in of_purpose.items()}
    )


def sealed_key(keys: Keys, purpose: str, key: PurposeKey) -> bytes:
    plain = f"{base64.b64encode(key.secret).decode()} {key.after_link}"
    return keys.seal(plain, seal_place(purpose, key.generation))


def seal_place(purpose: str, generation: int) -> str:
    """The row for which a key of a purpose is sealed."""
    return f"purpose key {purpose} {generation}"


def _refuse_missing(key: SecretKey, keys: Keys) -> None:
    if key.retired_at is not None or (key.in_force_at is None and key.number not in keys.numbers):
        return
    if key.number not in keys.numbers:
        raise KeyFileError(
            f"the secret key file lacks key {key.number}, which this database needs, nothing was changed: bring the "
            "file of another machine of this service here, or that of its backup"
        )
    if keys.check_of(key.number) != key.check_value:
        raise KeyFileError(
            f"key {key.number} of the secret key file is not the one of this database, nothing was changed: another "
            "machine has made a key of this number. Bring the file of that machine here"
        )
