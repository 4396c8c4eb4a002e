"""Account outages (アカウント停止): accounts that refuse our credentials, each a row until something is accepted again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Connection, Table, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import from_datetime, to_jst
from content.database import insert_unless_known, metadata
from content.ledger.deliveries import batch, delivery
from content.ledger.settling import LEFT_OVER, UNSETTLED
from content.ledger.states import DeliveryState

account_outage = Table(
    "account_outage",
    metadata,
    Column("account", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class AccountOutage:
    """`waiting` recipients go out by themselves once it is mended; those refused for quota do not."""

    account: str
    reason: str
    waiting: int


def begin(connection: Connection, account: str, *, reason: str, now: int) -> None:
    """The account refused us; one that did before keeps its time."""
    connection.execute(
        insert_unless_known(connection, account_outage)
        .values(account=account, reason=reason, since=now)
        .on_conflict_do_update(index_elements=["account"], set_={"reason": reason})
    )


def end(connection: Connection, account: str) -> None:
    """The account accepted something."""
    connection.execute(delete(account_outage).where(account_outage.c.account == account))


async def stopped_accounts(connection: AsyncConnection) -> set[str]:
    return set(await connection.scalars(select(account_outage.c.account)))


async def forget_all_but(connection: AsyncConnection, accounts: Collection[str]) -> None:
    """An account that left the town profile will never accept anything again."""
    await connection.execute(delete(account_outage).where(account_outage.c.account.not_in(accounts)))


async def find_outages(connection: AsyncConnection, now: int) -> list[AccountOutage]:
    """Accounts through which nothing goes out, at most one entry for each, in the order of their keys."""
    found = {item.account: item for item in await _out_of_quota(connection, now)}
    found |= {item.account: item for item in await _stopped(connection)}
    return [found[account] for account in sorted(found)]


async def _stopped(connection: AsyncConnection) -> list[AccountOutage]:
    waiting = (
        select(func.coalesce(func.sum(LEFT_OVER), 0))
        .where(batch.c.account == account_outage.c.account, UNSETTLED)
        .scalar_subquery()
    )
    rows = await connection.execute(select(account_outage.c.account, account_outage.c.reason, waiting))
    return [AccountOutage(account, reason, int(number)) for account, reason, number in rows]


async def _out_of_quota(connection: AsyncConnection, now: int) -> list[AccountOutage]:
    """Deliveries refused for this month's quota, unless a later one was accepted."""
    first_of_month = to_jst(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = await connection.execute(
        select(delivery.c.account, func.max(delivery.c.id))
        .where(
            delivery.c.state == DeliveryState.STOPPED,
            delivery.c.reason == "quota",
            delivery.c.created_at >= from_datetime(first_of_month),
        )
        .group_by(delivery.c.account)
    )
    outages = []
    for account, newest in rows.all():
        later = (
            select(batch.c.id)
            .join(delivery, delivery.c.id == batch.c.delivery_id)
            .where(delivery.c.account == account, delivery.c.id > newest, batch.c.accepted > 0)
        )
        if await connection.scalar(later.limit(1)) is None:
            outages.append(AccountOutage(account, "quota", 0))
    return outages
