"""After another site may have gone on: what it may have sent waits for a person or is closed, what LINE knows again goes on."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from content.clock import DAY, MINUTE
from content.database import identity
from content.ledger import due
from content.ledger.deliveries import batch, delivery
from content.notices.notices import trigger
from scheduler.triggers import hold_overdue
from tests.factories import APRIL_TUESDAY, make_delivery, make_notice, make_subscribers

NOW = APRIL_TUESDAY


async def test_what_is_overdue_waits_for_a_person_and_what_is_to_come_stays(stage) -> None:
    async with stage.context.database.write() as connection:
        overdue = await make_notice(connection, at=NOW - MINUTE)
        to_come = await make_notice(connection, at=NOW)
        await connection.execute(
            trigger.update().where(trigger.c.notice_id == to_come).values(due_at=NOW + 60 * MINUTE)
        )
    assert await hold_overdue(stage.context, "もう一つの場所", NOW) == [overdue]
    async with stage.context.database.read() as connection:
        states = {row.notice_id: (row.state, row.reason) for row in await connection.execute(select(trigger))}
    assert states[overdue] == ("held", "もう一つの場所")
    assert states[to_come][0] == "waiting"
    assert await hold_overdue(stage.context, "もう一つの場所", NOW) == []


@pytest.mark.parametrize(
    ("channel", "age", "goes_on"),
    [("line", MINUTE, True), ("line", DAY, False), ("mail", MINUTE, False), ("webhook", MINUTE, False)],
)
async def test_only_what_line_knows_again_goes_on(stage, channel: str, age: int, goes_on: bool) -> None:
    async with stage.context.database.write() as connection:
        ids = await make_subscribers(
            connection, stage.context.keys, 4, channel="mail" if channel == "mail" else "line"
        )
        number = await make_delivery(connection, [ids[:2], ids[2:]])
        await connection.execute(
            delivery.update()
            .where(delivery.c.id == number)
            .values(channel=channel, account=channel, created_at=NOW - age)
        )
        closed = await due.close_in_doubt(connection, NOW, told_apart=("line",))
        rows = (await connection.execute(select(batch).order_by(batch.c.id))).all()
    assert closed == (0 if goes_on else 1)
    # Never "refused": a person who sends the refused once more must not send these.
    assert [(row.state, row.unknown, row.refused) for row in rows] == [
        ("ready", 0, 0) if goes_on else ("settled", 2, 0)
    ] * 2


async def test_a_database_that_takes_writes_is_no_replica(stage) -> None:
    """One that follows another was tried by hand: a test cannot set a second PostgreSQL server up."""
    async with stage.context.database.read() as connection:
        assert not await identity.is_replica(connection)
