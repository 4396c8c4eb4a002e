"""Posts (投稿): what stands at the services outside because of a delivery, part by part, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    Table,
    Text,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, insert_unless_known, metadata
from content.ledger.deliveries import delivery
from content.ledger.states import PostState, one_of
from content.notices import chains

post = Table(
    "post",
    metadata,
    Column("delivery_id", Id, ForeignKey("delivery.id"), primary_key=True, autoincrement=False),
    Column("part", Integer, primary_key=True, autoincrement=False),
    # What the service calls it; "" where it tells nothing.
    Column("remote_id", Text, nullable=False),
    Column("url", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint(one_of("state", PostState), name="state"),
)


@dataclass(frozen=True, slots=True)
class Post:
    """`delivery_id` may be that of an earlier notice, which this one corrects."""

    delivery_id: int
    part: int
    remote_id: str
    url: str
    state: str


@dataclass(frozen=True, slots=True)
class ShownPost:
    """As staff see it."""

    account: str
    part: int
    url: str
    state: str
    at: int


def record(connection: Connection, posts: Sequence[Post], now: int) -> None:
    """Write down what has changed at the service."""
    for item in posts:
        values = {"remote_id": item.remote_id, "url": item.url, "state": item.state, "at": now}
        connection.execute(
            insert_unless_known(connection, post)
            .values(delivery_id=item.delivery_id, part=item.part, **values)
            .on_conflict_do_update(index_elements=["delivery_id", "part"], set_=values)
        )


def history(connection: Connection, delivery_id: int) -> tuple[list[Post], list[Post]]:
    """The posts of a delivery, and those of the notices before it in its chain on the same account."""
    about = connection.execute(
        select(delivery.c.notice_id, delivery.c.account).where(delivery.c.id == delivery_id)
    ).one()
    root = connection.scalar(chains.root_query(about.notice_id))
    chain = connection.scalars(chains.members_query(root or about.notice_id)).all()
    rows = connection.execute(
        select(post.c.delivery_id, post.c.part, post.c.remote_id, post.c.url, post.c.state)
        .join(delivery, delivery.c.id == post.c.delivery_id)
        .where(
            delivery.c.notice_id.in_(chain), delivery.c.account == about.account, delivery.c.id <= delivery_id
        )
        .order_by(post.c.delivery_id, post.c.part)
    )
    posts = [Post(*row) for row in rows]
    return (
        [item for item in posts if item.delivery_id == delivery_id],
        [item for item in posts if item.delivery_id != delivery_id],
    )


async def shown_of(connection: AsyncConnection, notice_id: int) -> list[ShownPost]:
    """The posts of a notice, by account and part."""
    rows = await connection.execute(
        select(delivery.c.account, post.c.part, post.c.url, post.c.state, post.c.at)
        .join(delivery, delivery.c.id == post.c.delivery_id)
        .where(delivery.c.notice_id == notice_id)
        .order_by(delivery.c.id, post.c.part)
    )
    return [ShownPost(*row) for row in rows]
