"""Trial addresses (試し送り先): addresses of staff, to which they send a notice before residents get it.

They stand beside the register and in none of its tables: no audience, count or export can come across one. A
batch names its recipients by numbers of the register, so each takes one there that is nobody's (state erased)
and never anybody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    LargeBinary,
    Select,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, among, as_list, metadata
from content.keys import Keys
from content.register import addresses
from content.register.states import SubscriberState
from content.register.subscriber_ids import next_ids
from content.register.subscribers import subscriber

# Of one member on one account: a phone, a second one, and that of the office.
MOST_ON_ACCOUNT = 3

trial_address = Table(
    "trial_address",
    metadata,
    Column("id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("staff_id", Id, ForeignKey("staff_member.id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("lookup", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("confirmed_at", BigInteger, nullable=False),
    # Since when the self-test goes here too.
    Column("seed_since", BigInteger),
    UniqueConstraint("staff_id", "account", "lookup"),
)


class AddressRefused(ValueError):
    """The address cannot be added; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class TrialAddress:
    """`plain` is "" when no key of ours opens it."""

    id: int
    staff_id: int
    account: str
    channel: str
    plain: str = field(repr=False)
    confirmed_at: int
    seed_since: int | None

    @property
    def masked(self) -> str:
        """Enough for its owner to know it again."""
        return addresses.masked(self.channel, self.plain)


async def add(
    connection: AsyncConnection,
    keys: Keys,
    *,
    staff_id: int,
    account: str,
    channel: str,
    plain: str,
    at: int,
) -> int:
    """A confirmed address; its number, also when it was there before. Raises BadAddress and AddressRefused."""
    plain = addresses.normalise(channel, plain)
    lookups = lookups_of(keys, account, channel, plain)
    mine = and_(trial_address.c.staff_id == staff_id, trial_address.c.account == account)
    known = await connection.scalar(
        select(trial_address.c.id).where(mine, trial_address.c.lookup.in_(lookups))
    )
    if known is not None:
        await connection.execute(
            update(trial_address)
            .where(trial_address.c.id == known)
            .values(sealed=keys.seal(plain, seal_place(known, account)), confirmed_at=at)
        )
        return int(known)
    number = await connection.scalar(select(func.count()).select_from(trial_address).where(mine))
    if (number or 0) >= MOST_ON_ACCOUNT:
        raise AddressRefused(
            f"試し送り先は、配信手段ごとに{MOST_ON_ACCOUNT}件までです。使わないものを消してから登録してください。"
        )
    (new_id,) = await next_ids(connection, 1)
    await connection.execute(
        insert(subscriber).values(
            id=new_id,
            account=account,
            state=SubscriberState.ERASED,
            language="ja",
            joined_at=at,
            changed_at=at,
        )
    )
    await connection.execute(
        insert(trial_address).values(
            id=new_id,
            staff_id=staff_id,
            account=account,
            channel=channel,
            lookup=lookups[0],
            sealed=keys.seal(plain, seal_place(new_id, account)),
            confirmed_at=at,
        )
    )
    return new_id


async def remove(connection: AsyncConnection, address_id: int, *, staff_id: int | None = None) -> bool:
    """Also from batches that have not left: those find no address. With `staff_id` only that member's."""
    mine = trial_address.c.staff_id == staff_id if staff_id is not None else trial_address.c.id > 0
    gone = await connection.execute(delete(trial_address).where(trial_address.c.id == address_id, mine))
    return bool(gone.rowcount)


async def remove_all_of(connection: AsyncConnection, staff_id: int) -> int:
    """Their number."""
    gone = await connection.execute(delete(trial_address).where(trial_address.c.staff_id == staff_id))
    return int(gone.rowcount)


async def set_seed(connection: AsyncConnection, address_id: int, *, since: int | None) -> bool:
    """Whether the self-test goes here; False when there is no such address."""
    changed = await connection.execute(
        update(trial_address).where(trial_address.c.id == address_id).values(seed_since=since)
    )
    return bool(changed.rowcount)


async def of_staff(connection: AsyncConnection, keys: Keys, staff_id: int) -> list[TrialAddress]:
    return await _select(connection, keys, trial_address.c.staff_id == staff_id)


async def everybodys(connection: AsyncConnection, keys: Keys) -> list[TrialAddress]:
    return await _select(connection, keys, trial_address.c.id > 0)


async def seed_counts(connection: AsyncConnection) -> dict[str, int]:
    """By account, how many addresses the self-test goes to."""
    rows = await connection.execute(
        select(trial_address.c.account, func.count())
        .where(trial_address.c.seed_since.is_not(None))
        .group_by(trial_address.c.account)
        .order_by(trial_address.c.account)
    )
    return {account: int(number) for account, number in rows}


def owned_by(staff_id: int) -> ColumnElement[bool]:
    """The condition on rows of `subscriber`: the numbers of this member's addresses."""
    return subscriber.c.id.in_(_ids().where(trial_address.c.staff_id == staff_id))


def are_seeds() -> ColumnElement[bool]:
    """The condition on rows of `subscriber`: the numbers of the addresses of the self-test."""
    return subscriber.c.id.in_(_ids().where(trial_address.c.seed_since.is_not(None)))


def sealed_among(
    connection: Connection, account: str, numbers: Iterable[int]
) -> Sequence[tuple[int, bytes, str]]:
    """(number, sealed address, its place) of those that are trial addresses of this account."""
    dialect = connection.dialect.name
    rows = connection.execute(
        select(trial_address.c.id, trial_address.c.sealed).where(
            trial_address.c.account == account, among(dialect, trial_address.c.id, "ids")
        ),
        {"ids": as_list(dialect, numbers)},
    )
    return [(int(row.id), bytes(row.sealed), seal_place(row.id, account)) for row in rows]


def lookups_of(keys: Keys, account: str, channel: str, plain: str) -> tuple[bytes, ...]:
    """Those of `Keys.lookups`, told apart from the ones of residents."""
    return keys.lookups(f"trial {account}", addresses.lookup_part(channel, plain))


def seal_place(address_id: int, account: str) -> str:
    """The row for which an address is sealed."""
    return f"trial_address {address_id} {account}"


def _ids() -> Select[tuple[int]]:
    return select(trial_address.c.id)


async def _select(
    connection: AsyncConnection, keys: Keys, condition: ColumnElement[bool]
) -> list[TrialAddress]:
    rows = (
        await connection.execute(select(trial_address).where(condition).order_by(trial_address.c.id))
    ).all()
    opened = keys.open_many((row.sealed, seal_place(row.id, row.account)) for row in rows)
    return [
        TrialAddress(
            row.id, row.staff_id, row.account, row.channel, plain or "", row.confirmed_at, row.seed_since
        )
        for row, plain in zip(rows, opened, strict=True)
    ]
