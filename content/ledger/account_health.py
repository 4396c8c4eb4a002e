"""How each account is doing: when it last accepted something, what waits for it, and its quota as it was last asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Integer, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import insert_unless_known, metadata
from content.ledger.deliveries import batch, delivery
from content.ledger.retention import delivery_summary
from content.ledger.settling import LEFT_OVER, UNSETTLED

account_quota = Table(
    "account_quota",
    metadata,
    Column("account", Text, primary_key=True),
    # Messages of this month; None: no limit.
    Column("limit", Integer),
    Column("used", Integer, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class KnownQuota:
    """What the service outside said when it was asked."""

    limit: int | None
    used: int
    asked_at: int


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """`waiting` recipients are open, the oldest of their batches since `oldest` (ms)."""

    account: str
    last_accepted_at: int | None
    waiting: int
    oldest: int | None
    quota: KnownQuota | None


async def keep_quota(
    connection: AsyncConnection, account: str, *, limit: int | None, used: int, at: int
) -> None:
    values = {"limit": limit, "used": used, "asked_at": at}
    await connection.execute(
        insert_unless_known(connection, account_quota)
        .values(account=account, **values)
        .on_conflict_do_update(index_elements=["account"], set_=values)
    )


async def health_of(connection: AsyncConnection, accounts: Iterable[str]) -> list[AccountHealth]:
    """In the order asked for."""
    quotas = {
        row.account: KnownQuota(row.limit, row.used, row.asked_at)
        for row in await connection.execute(select(account_quota))
    }
    return [await _health(connection, account, quotas.get(account)) for account in accounts]


async def _health(connection: AsyncConnection, account: str, quota: KnownQuota | None) -> AccountHealth:
    kept = await connection.scalar(
        select(func.max(batch.c.last_accepted_at)).where(batch.c.account == account)
    )
    summarised = await connection.scalar(
        select(func.max(delivery_summary.c.last_accepted_at))
        .join(delivery, delivery.c.id == delivery_summary.c.delivery_id)
        .where(delivery.c.account == account)
    )
    waiting, oldest = (
        await connection.execute(
            select(func.coalesce(func.sum(LEFT_OVER), 0), func.min(batch.c.created_at)).where(
                batch.c.account == account, UNSETTLED
            )
        )
    ).one()
    last = max((at for at in (kept, summarised) if at is not None), default=None)
    return AccountHealth(account, last, int(waiting), oldest, quota)
