"""The numbers under which accounts that post stand in batches: each is the one recipient of its deliveries.

A batch names its recipients by numbers of the register, so each account takes one there that is nobody's (state
erased): no audience, count or export can come across it.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, insert_unless_known, metadata
from content.register.states import SubscriberState
from content.register.subscriber_ids import next_ids
from content.register.subscribers import subscriber

posting_account = Table(
    "posting_account",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", Id, ForeignKey("subscriber.id"), nullable=False, unique=True),
)


async def number_of(connection: AsyncConnection, account: str, *, at: int) -> int:
    """The number of an account, which it gets at its first delivery."""
    known = await _find(connection, account)
    if known is not None:
        return known
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
    # Another process may have been first; then the number stays nobody's.
    await connection.execute(
        insert_unless_known(connection, posting_account)
        .values(account=account, id=new_id)
        .on_conflict_do_nothing(index_elements=["account"])
    )
    found = await _find(connection, account)
    assert found is not None
    return found


async def _find(connection: AsyncConnection, account: str) -> int | None:
    found = await connection.scalar(select(posting_account.c.id).where(posting_account.c.account == account))
    return None if found is None else int(found)
