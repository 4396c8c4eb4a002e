"""Claiming a batch, leases and fences: nothing twice, and a late owner has no say."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from content.clock import MINUTE
from content.ledger import batches, deliveries, leases
from content.ledger.deferring import RefusedRecipient
from content.ledger.deliveries import batch
from tests.content.played import LEASE, NOW, claim, record
from tests.factories import (
    NEWCOMER,
    make_delivery,
    make_notice,
    make_subscriber,
    make_subscribers,
)


async def states(connection):
    return list(await connection.scalars(select(batch.c.state).order_by(batch.c.id)))


async def whole(connection, batch_id):
    return (await connection.execute(select(batch).where(batch.c.id == batch_id))).one()


async def test_a_claimed_batch_has_the_frozen_recipients(database, keys):
    async with database.write() as connection:
        ids = await make_subscribers(connection, keys, 3)
        delivery_id = await make_delivery(connection, [ids], language="en")
        claimed = await claim(connection)
    assert claimed.recipients == tuple(ids)
    assert (claimed.delivery_id, claimed.language, claimed.kind) == (delivery_id, "en", "list")
    assert (claimed.attempt, claimed.fence, claimed.position) == (1, 1, 0)


async def test_a_batch_is_claimed_once(database, send):
    async with database.write() as connection:
        await send(connection, 3)
        assert await claim(connection) is not None
        assert await claim(connection, owner="two") is None


async def test_batches_are_claimed_in_the_order_of_planning(database, send):
    async with database.write() as connection:
        await send(connection, 1, 1, 1)
        claimed = [await claim(connection) for _ in range(3)]
        assert [item.id for item in claimed] == sorted(item.id for item in claimed)


@pytest.mark.parametrize("other", [{"lane": "urgent"}, {"account": "mail"}])
async def test_a_claim_takes_from_its_own_lane_and_account_alone(database, send, other):
    async with database.write() as connection:
        await send(connection, 3)
        assert await claim(connection, **other) is None
        assert await claim(connection) is not None


async def test_a_first_attempt_is_claimed_at_once_whatever_the_clock_said(database, send):
    async with database.write() as connection:
        await send(connection, 3)
        assert await claim(connection, NOW - MINUTE) is not None


async def test_every_batch_has_a_retry_key_of_its_own_that_no_retry_changes(database, send):
    async with database.write() as connection:
        await send(connection, 1, 1)
        first, second = await claim(connection), await claim(connection)
        assert UUID(first.retry_key) != UUID(second.retry_key)
        await connection.run_sync(
            batches.requeue, first, state="unknown", reason="timeout", not_before=NOW, now=NOW
        )
        again = await claim(connection)
        assert (again.id, again.retry_key, again.attempt) == (first.id, first.retry_key, 2)


async def test_a_retry_never_stands_before_a_first_attempt(database, send):
    async with database.write() as connection:
        await send(connection, 1, 1)
        retried = await claim(connection)
        await connection.run_sync(
            batches.requeue, retried, state="ready", reason="busy", not_before=NOW, now=NOW
        )
        fresh = await claim(connection)
        assert fresh.id > retried.id
        assert (await claim(connection)).id == retried.id


async def test_a_requeued_batch_waits_as_long_as_it_was_told(database, send):
    async with database.write() as connection:
        await send(connection, 3)
        claimed = await claim(connection)
        await connection.run_sync(
            batches.requeue, claimed, state="ready", reason="busy", not_before=NOW + MINUTE, now=NOW
        )
        assert await claim(connection, NOW + MINUTE - 1) is None
        assert await claim(connection, NOW + MINUTE) is not None


@pytest.mark.parametrize(("later", "released"), [(LEASE, 0), (LEASE + 1, 1)])
async def test_a_lease_that_ran_out_makes_the_batch_unknown(database, send, later, released):
    async with database.write() as connection:
        await send(connection, 3)
        await claim(connection)
        assert await leases.release_expired(connection, NOW + later) == released
        assert await states(connection) == ["unknown" if released else "claimed"]


async def test_progress_lengthens_the_lease(database, send):
    async with database.write() as connection:
        await send(connection, 3)
        claimed = await claim(connection)
        await record(connection, claimed, 1, 1, now=NOW + MINUTE)
        assert await leases.release_expired(connection, NOW + LEASE + 1) == 0
        assert await leases.release_expired(connection, NOW + MINUTE + LEASE + 1) == 1


async def test_a_batch_goes_on_where_the_lost_owner_stopped(database, send):
    async with database.write() as connection:
        await send(connection, 5)
        lost = await claim(connection)
        await record(connection, lost, 2, 2)
        await leases.release_expired(connection, NOW + LEASE + 1)
        taken = await claim(connection, NOW + LEASE + 1, owner="two")
        assert (taken.id, taken.position, taken.recipients) == (lost.id, 2, lost.recipients)


async def test_at_a_start_alone_every_lease_is_released(database, send):
    async with database.write() as connection:
        await send(connection, 1, 1, 1)
        done, _ = await claim(connection), await claim(connection)
        await record(connection, done, 1, 1)
        assert await leases.release_all(connection, NOW) == 1
        assert await states(connection) == ["settled", "unknown", "ready"]


LATE = {
    "record a part": lambda c, late: record(c, late, 1, 1),
    "record refusals": lambda c, late: record(c, late, 1, 0, [RefusedRecipient(late.recipients[0], "gone")]),
    "settle it all": lambda c, late: c.run_sync(batches.accept_all, late, now=NOW),
    "refuse the rest": lambda c, late: c.run_sync(
        batches.settle_rest, late, outcome="refused", reason="late", now=NOW
    ),
    "give it back": lambda c, late: c.run_sync(
        batches.requeue, late, state="ready", reason="late", not_before=NOW, now=NOW
    ),
}


@pytest.mark.parametrize("since", ["released", "claimed by another", "settled by another"])
async def test_an_owner_whose_lease_went_to_another_changes_nothing(database, send, since):
    async with database.write() as connection:
        await send(connection, 3)
        late = await claim(connection)
        await leases.release_expired(connection, NOW + LEASE + 1)
        if since != "released":
            other = await claim(connection, NOW + LEASE + 1, owner="two")
            if since == "settled by another":
                await connection.run_sync(batches.accept_all, other, now=NOW + LEASE + 2)
        before = await whole(connection, late.id)
        for what, attempt in LATE.items():
            assert not await attempt(connection, late), what
        assert await whole(connection, late.id) == before
        assert (await connection.execute(select(deliveries.refusal))).all() == []


async def test_a_settled_batch_cannot_be_settled_again_by_its_own_owner(database, send):
    async with database.write() as connection:
        await send(connection, 3)
        claimed = await claim(connection)
        assert await connection.run_sync(batches.accept_all, claimed, now=NOW)
        assert not await connection.run_sync(
            batches.settle_rest, claimed, outcome="refused", reason="x", now=NOW
        )
        assert await claim(connection, NOW + LEASE) is None


async def test_many_claimers_at_once_never_get_the_same_batch(database, send):
    async with database.write() as connection:
        await send(connection, *[2] * 24)

    async def work(owner):
        mine: list[Any] = []
        while True:
            async with database.write() as connection:
                claimed = await claim(connection, owner=owner)
            if claimed is None:
                return mine
            mine.append(claimed)

    hands = await asyncio.gather(*(work(f"worker-{n}") for n in range(6)))
    taken = [claimed for hand in hands for claimed in hand]
    assert len(taken) == 24
    assert len({item.id for item in taken}) == 24
    assert len({recipient for item in taken for recipient in item.recipients}) == 48


@pytest.mark.services
async def test_an_open_claim_makes_nobody_wait_and_is_not_given_twice(postgres_database, send):
    database = postgres_database
    async with database.write() as connection:
        await send(connection, 1, 1)
    async with database.write() as slow:
        first = await claim(slow, owner="slow")
        async with database.write() as quick:
            second = await claim(quick, owner="quick")
            assert await claim(quick, owner="quick") is None
    assert {first.id, second.id} == {first.id, first.id + 1}


@pytest.mark.services
async def test_a_claim_that_is_rolled_back_leaves_the_batch_ready(postgres_database, send):
    database = postgres_database
    async with database.write() as connection:
        await send(connection, 3)
    with pytest.raises(ConnectionError):
        async with database.write() as connection:
            assert await claim(connection) is not None
            raise ConnectionError
    async with database.write() as connection:
        assert (await claim(connection)).attempt == 1


@pytest.mark.services
async def test_a_delivery_that_another_process_is_planning_is_passed_over(postgres_database, send):
    database = postgres_database
    async with database.write() as connection:
        _, delivery_id = await send(connection, 3, planned=False)
    async with database.write() as first, database.write() as second:
        assert await deliveries.lock_delivery(first, delivery_id) is not None
        assert await deliveries.lock_delivery(second, delivery_id) is None


async def test_planning_is_remembered_between_slices(database, keys, send):
    async with database.write() as connection:
        _, delivery_id = await send(connection, 2, 1, planned=False)
        await deliveries.remember_planning(connection, delivery_id, up_to=40)
    async with database.write() as connection:
        planned = await deliveries.lock_delivery(connection, delivery_id)
        assert planned and (planned.batches, planned.planned) == (2, 3)
        assert planned.planned_up_to == 40
        more = [(await make_subscriber(connection, keys, NEWCOMER)).id]
        await deliveries.add_batches(connection, planned, [("en", more, 0)])
        await deliveries.finish_planning(connection, delivery_id, NOW)
        finished = await connection.run_sync(deliveries.get_delivery, delivery_id)
        assert (finished.state, finished.batches, finished.planned) == ("planned", 3, 4)
        assert await deliveries.lock_delivery(connection, delivery_id) is None


async def test_urgent_deliveries_are_planned_first(database):
    async with database.write() as connection:
        routine = await make_delivery(connection, planned=False)
        urgent = await make_delivery(connection, planned=False, lane="urgent")
        assert await deliveries.deliveries_to_plan(connection) == [(urgent, "urgent"), (routine, "routine")]


async def test_a_notice_has_one_delivery_per_account(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection)
        await make_delivery(connection, notice_id=notice_id)
        await make_delivery(connection, notice_id=notice_id, account="mail")
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await make_delivery(connection, notice_id=notice_id)
