"""Which database this is: one row with a random identity, the town's code and a value that proves the key.

What leaves the house (Message-IDs, links to unsubscribe, addresses of public pages) is bound to it, so that
what another database once gave out means nothing here. The identity moves with the database.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Integer,
    LargeBinary,
    Table,
    Text,
    exists,
    func,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database.dialects import insert_unless_known
from content.database.tables import metadata

# Without the letters that look like digits: addresses are read out on the telephone.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PUBLIC_ID_LENGTH = 12
THE_ROW = 1

database_identity = Table(
    "database_identity",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("identity", Text, nullable=False),
    # Code of the local government; "" until `init` has bound the database to a town and a key.
    Column("town", Text, nullable=False, server_default=""),
    Column("key_check", LargeBinary),
    # How often a person has let it go on after it came back from a copy or was moved.
    Column("epoch", BigInteger, nullable=False, server_default="1"),
    # Where it was last served from: the place of the file or of the PostgreSQL database, and the machine.
    Column("place", Text, nullable=False, server_default=""),
    Column("machine", Text, nullable=False, server_default=""),
    # Counted up while it is served, here and in a file beside the key: a copy from before knows less.
    Column("beat", BigInteger, nullable=False, server_default="0"),
    # Since when and why nothing goes out until a person has looked.
    Column("held_since", BigInteger),
    Column("held_reason", Text, nullable=False, server_default=""),
    CheckConstraint("id = 1", name="one_row"),
)


class WrongDatabase(Exception):
    """The database belongs to another town or another key; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The row. `town` is "" and `key_check` None as long as nobody has bound it."""

    identity: str
    town: str = ""
    key_check: bytes | None = None
    epoch: int = 1
    place: str = ""
    machine: str = ""
    beat: int = 0
    held_since: int | None = None
    held_reason: str = ""


# As the driver takes it, since the ledger counts each of its commits.
_COUNT = "UPDATE database_identity SET beat = beat + 1 WHERE held_since IS NULL RETURNING epoch, beat"
# For the conditions of every statement that lets something go out.
NOT_HELD = ~exists().where(database_identity.c.held_since.is_not(None))


def new_identity() -> str:
    return secrets.token_hex(16)


def new_public_id() -> str:
    """What stands in the public address of a notice: nobody can guess the next one."""
    return "".join(secrets.choice(ALPHABET) for _ in range(PUBLIC_ID_LENGTH))


def new_salt() -> int:
    """A random number that a registration keeps: what is bound to it is never another's, also after a restore."""
    return secrets.randbits(62) + 1


async def read(connection: AsyncConnection) -> Identity | None:
    columns = [database_identity.c[name] for name in Identity.__dataclass_fields__]
    row = (await connection.execute(select(*columns))).one_or_none()
    return None if row is None else Identity(*row)


async def bind(connection: AsyncConnection, *, town: str, key_check: bytes) -> Identity:
    """Give a database that has none a town and a key; what is bound already stays as it is."""
    await connection.execute(
        insert_unless_known(connection, database_identity)
        .values(id=THE_ROW, identity=new_identity())
        .on_conflict_do_nothing(index_elements=["id"])
    )
    await connection.execute(
        update(database_identity).where(database_identity.c.town == "").values(town=town, key_check=key_check)
    )
    found = await read(connection)
    assert found is not None
    return found


async def settle(connection: AsyncConnection, *, place: str, machine: str) -> None:
    """From now on it is at home here."""
    await connection.execute(update(database_identity).values(place=place, machine=machine))


async def count_beat(connection: AsyncConnection) -> Identity | None:
    """One more, unless it is held: what waits for a person must still look like what it was."""
    await connection.execute(
        update(database_identity)
        .where(database_identity.c.held_since.is_(None))
        .values(beat=database_identity.c.beat + 1)
    )
    return await read(connection)


def count_commit(connection: Connection) -> tuple[int, int] | None:
    """One more within somebody's transaction: (epoch, beat) as they are then; None while it is held."""
    counted = connection.exec_driver_sql(_COUNT).one_or_none()
    return None if counted is None else (counted.epoch, counted.beat)


async def hold(connection: AsyncConnection, reason: str, at: int) -> bool:
    """Nothing goes out from here on; False when it was held already."""
    changed = await connection.execute(
        update(database_identity)
        .where(database_identity.c.held_since.is_(None))
        .values(held_since=at, held_reason=reason)
    )
    return bool(changed.rowcount)


async def let_go(connection: AsyncConnection, *, place: str, machine: str, beat: int, epoch: int) -> bool:
    """A person has looked: it is at home here, and ahead of every copy. False when it was not held."""
    changed = await connection.execute(
        update(database_identity)
        .where(database_identity.c.held_since.is_not(None))
        .values(
            held_since=None,
            held_reason="",
            place=place,
            machine=machine,
            beat=beat,
            epoch=epoch,
        )
    )
    return bool(changed.rowcount)


def write_anew(connection: Connection) -> None:
    """Write the row as it is: whether the disk takes anything shows by nothing less."""
    connection.execute(update(database_identity).values(id=database_identity.c.id))


async def is_replica(connection: AsyncConnection) -> bool:
    """Whether it only follows another PostgreSQL, and takes nothing that is written."""
    if connection.dialect.name != "postgresql":
        return False
    return bool(await connection.scalar(select(func.pg_is_in_recovery())))


async def place_of_postgres(connection: AsyncConnection) -> str:
    """The cluster and the database in it: another one after a dump is read back, or on another server."""
    found = await connection.execute(
        select(
            text("(SELECT system_identifier FROM pg_control_system())"),
            text("(SELECT oid FROM pg_database WHERE datname = current_database())"),
        )
    )
    cluster, database = found.one()
    return f"postgresql {cluster} {database}"
