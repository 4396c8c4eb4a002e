"""The road to a mail server, which fails as they do."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from content.clock import SECOND, now_ms
from content.register.subscriber_changes import erase
from content.register.subscribers import find
from scheduler.sender import Sender
from scheduler.sweeps import take_over
from scheduler.town_context import BUDGET
from tests.scheduler.outside import Outside
from tests.scheduler.roads import has_reason, planned, send_all
from tests.scheduler.scripted import (
    Stage,
    eventually,
    refusals_of,
    sending,
    settled,
    tally_of,
)

PEOPLE = [f"p{number:02d}@example.jp" for number in range(17)]
ONCE = Counter(PEOPLE)


async def test_everybody_gets_one_mail(real: Stage, outside: Outside) -> None:
    delivery_id = await planned(real, "mail", PEOPLE)
    await send_all(real, delivery_id)
    assert outside.smtp.mailroom.recipients == ONCE
    assert (await tally_of(real.database, delivery_id)).accepted == len(PEOPLE)


async def test_one_refused_address_is_noted_and_the_others_get_their_mail(
    real: Stage, outside: Outside
) -> None:
    outside.smtp.faults.refuse = {"p03@example.jp": "550 5.1.1 no such user"}
    delivery_id = await planned(real, "mail", PEOPLE)
    await send_all(real, delivery_id)
    assert outside.smtp.mailroom.recipients == ONCE - Counter(["p03@example.jp"])
    assert list((await refusals_of(real.database, delivery_id)).values()) == ["mailbox_unknown"]
    found = await tally_of(real.database, delivery_id)
    assert (found.accepted, found.refused) == (16, 1)


async def test_who_was_erased_between_fan_out_and_sending_gets_no_mail_and_is_counted(
    real: Stage, outside: Outside
) -> None:
    delivery_id = await planned(real, "mail", PEOPLE)
    async with real.database.write() as connection:
        erased = await find(connection, real.context.keys, "mail", "mail", PEOPLE[4])
        assert erased is not None
        await erase(connection, erased, reason="asked", at=now_ms())
    await send_all(real, delivery_id)
    assert outside.smtp.mailroom.recipients == ONCE - Counter([PEOPLE[4]])
    assert await refusals_of(real.database, delivery_id) == {erased: "unsubscribed"}
    found = await tally_of(real.database, delivery_id)
    assert (found.planned, found.accepted, found.refused) == (17, 16, 1)


@pytest.mark.faults
@pytest.mark.parametrize("drops", [1, 3])
async def test_after_a_connection_lost_behind_the_content_at_most_the_mail_in_flight_comes_twice(
    real: Stage, outside: Outside, drops: int
) -> None:
    outside.smtp.faults.drop_after_data = drops
    delivery_id = await planned(real, "mail", PEOPLE)
    await send_all(real, delivery_id)
    assert set(outside.smtp.mailroom.recipients) == set(PEOPLE)
    stats = outside.smtp.mailroom.stats()
    assert stats["duplicates"] <= drops
    # A repeated mail is recognisable: one Message-ID for each person.
    assert len(outside.smtp.mailroom.message_ids) == len(PEOPLE)
    found = await tally_of(real.database, delivery_id)
    assert (found.accepted, found.refused, found.unknown) == (len(PEOPLE), 0, 0)


@pytest.mark.faults
async def test_a_connection_lost_before_the_content_doubles_nobody(real: Stage, outside: Outside) -> None:
    outside.smtp.faults.drop_before_data = 2
    delivery_id = await planned(real, "mail", PEOPLE)
    await send_all(real, delivery_id)
    assert outside.smtp.mailroom.recipients == ONCE


@pytest.mark.faults
async def test_a_greylisted_address_gets_its_mail_at_the_next_try(real: Stage, outside: Outside) -> None:
    outside.smtp.faults.refuse = {"p02@example.jp": ["450 4.2.0 greylisted", "450 4.2.0 greylisted"]}
    delivery_id = await planned(real, "mail", PEOPLE)
    await send_all(real, delivery_id)
    assert outside.smtp.mailroom.recipients == ONCE


@pytest.mark.faults
async def test_an_address_that_stays_deferred_is_refused_in_the_end_and_says_so(
    real: Stage, outside: Outside
) -> None:
    outside.smtp.faults.refuse = {"p02@example.jp": "450 4.2.0 greylisted"}
    delivery_id = await planned(real, "mail", PEOPLE)
    await real.age(BUDGET["routine"] - 50 * SECOND)
    await send_all(real, delivery_id)
    assert outside.smtp.mailroom.recipients == ONCE - Counter(["p02@example.jp"])
    assert list((await refusals_of(real.database, delivery_id)).values()) == ["temporarily_refused"]


@pytest.mark.faults
async def test_a_busy_mail_server_only_delays(real: Stage, outside: Outside) -> None:
    outside.smtp.faults.content = "451 4.3.0 try again later"
    delivery_id = await planned(real, "mail", PEOPLE)
    async with sending(real.context):
        await eventually(lambda: has_reason(real, delivery_id, "server_busy"))
        outside.smtp.faults.content = ""
        await eventually(lambda: settled(real.database, delivery_id), hurry=real)
    assert outside.smtp.mailroom.recipients == ONCE


@pytest.mark.faults
async def test_a_mail_server_that_is_down_gets_everything_when_it_is_back(
    real: Stage, outside: Outside
) -> None:
    await outside.smtp.stop()
    delivery_id = await planned(real, "mail", PEOPLE)
    async with sending(real.context):
        await eventually(lambda: has_reason(real, delivery_id, "unreachable"))
        await outside.smtp.start(port=outside.smtp_port)
        await eventually(lambda: settled(real.database, delivery_id), hurry=real)
    assert outside.smtp.mailroom.recipients == ONCE


@pytest.mark.faults
async def test_a_mail_sender_killed_again_and_again_repeats_at_most_what_was_in_flight(
    real: Stage, outside: Outside
) -> None:
    outside.smtp.faults.latency_ms = 15
    delivery_id = await planned(real, "mail", PEOPLE)
    kills = 4
    for _ in range(kills):
        one = Sender(real.context, "killed")
        running = asyncio.create_task(one.run())
        await asyncio.sleep(0.12)
        await one.stop(within=0)
        await running
        await take_over(real.context)
    await send_all(real, delivery_id)
    assert set(outside.smtp.mailroom.recipients) == set(PEOPLE)
    # Progress is written for every ten mails; batches here hold five, so each kill repeats one at most.
    assert outside.smtp.mailroom.stats()["duplicates"] <= kills * outside.mail_batch
    assert len(outside.smtp.mailroom.message_ids) == len(PEOPLE)
    assert (await tally_of(real.database, delivery_id)).accepted == len(PEOPLE)
