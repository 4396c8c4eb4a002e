"""LINE's own figures of an account (LINEが数えた値), a day late, beside ours and never mixed with them.

`followers` is everybody who ever added the account, also those who blocked it since; `targeted_reaches` those whom LINE
can place by its own guess of age and region, a part of the friends; `blocks` those who block it now. LINE gives
nothing below 20. Source: Messaging API reference, get-number-of-followers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, Column, Date, Integer, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import insert_unless_known, metadata

line_figure = Table(
    "line_figure",
    metadata,
    Column("account", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("followers", Integer),
    Column("targeted_reaches", Integer),
    Column("blocks", Integer),
    Column("fetched_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class LineFigure:
    """None where LINE gave nothing."""

    account: str
    day: date
    followers: int | None
    targeted_reaches: int | None
    blocks: int | None

    @property
    def friends(self) -> int | None:
        """Who added the account and does not block it: what our registrations on LINE should come near to."""
        return None if self.followers is None or self.blocks is None else self.followers - self.blocks


async def keep(connection: AsyncConnection, figure: LineFigure, *, at: int) -> None:
    await connection.execute(
        insert_unless_known(connection, line_figure)
        .values(
            account=figure.account,
            day=figure.day,
            followers=figure.followers,
            targeted_reaches=figure.targeted_reaches,
            blocks=figure.blocks,
            fetched_at=at,
        )
        .on_conflict_do_nothing()
    )


async def newest_day(connection: AsyncConnection, account: str) -> date | None:
    found: date | None = await connection.scalar(
        select(func.max(line_figure.c.day)).where(line_figure.c.account == account)
    )
    return found


async def line_figures(connection: AsyncConnection, first: date, last: date) -> list[LineFigure]:
    """By account and day."""
    rows = await connection.execute(
        select(line_figure)
        .where(line_figure.c.day.between(first, last))
        .order_by(line_figure.c.account, line_figure.c.day)
    )
    return [LineFigure(row.account, row.day, row.followers, row.targeted_reaches, row.blocks) for row in rows]
