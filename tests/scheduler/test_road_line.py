"""The road to LINE, with the stand-in of its platform failing as LINE can fail: everybody exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial
from typing import Any

import pytest

from channels.line.channel import CONCURRENCY
from content.database import Database
from content.keys import Keys
from content.ledger.deferring import DEFERRED
from content.notices.segments import Target
from scheduler import failures
from scheduler.sender import Sender
from scheduler.sweeps import take_over
from tests.factories import create_town, line_id
from tests.scheduler.outside import TOKEN, Outside, register
from tests.scheduler.scripted import (
    Stage,
    eventually,
    fire,
    plan_all,
    refusals_of,
    rows_of,
    sending,
    settled,
    tally_of,
)

FRIENDS = 23
ONCE = Counter({line_id(number): 1 for number in range(1, FRIENDS + 1)})
SAIGAI = {"category": "saigai", "urgency": "urgent"}


@pytest.fixture
def friends(outside: Outside) -> list[str]:
    outside.line_friends(FRIENDS)
    return [line_id(number) for number in range(1, FRIENDS + 1)]


async def planned(stage: Stage, friends: list[str], **changes: Any) -> dict[str, int]:
    """A notice to all friends, ready to be sent; its deliveries by account."""
    await register(stage.database, stage.context.keys, "line", friends)
    deliveries = await fire(stage, **{**SAIGAI, **changes})
    await plan_all(stage)
    return deliveries


async def send_all(stage: Stage, *deliveries: int) -> None:
    async with sending(stage.context):
        for delivery_id in deliveries:
            await eventually(partial(settled, stage.database, delivery_id), hurry=stage)


async def test_everybody_gets_the_notice_once(real: Stage, outside: Outside, friends: list[str]) -> None:
    delivery_id = (await planned(real, friends))["line"]
    await send_all(real, delivery_id)
    assert outside.chats == ONCE
    assert outside.multicasts == 5
    found = await tally_of(real.database, delivery_id)
    assert (found.accepted, found.refused, found.unknown, found.open) == (FRIENDS, 0, 0, 0)


@pytest.mark.faults
async def test_too_many_requests_only_delay_and_everybody_gets_it_once(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    outside.line.config.change(
        {"rate.capacity": {"POST /v2/bot/message/multicast": 2}, "rate.scale": 0.02, "rate.retryAfter": 1}
    )
    delivery_id = (await planned(real, friends))["line"]
    async with sending(real.context) as one:
        await eventually(lambda: settled(real.database, delivery_id), hurry=real)
        assert (one.limiters["line"].rate or 0) < 0.6 * 200, "the account learned from it"
        assert one.limiters["mail"].rate is None
    assert outside.chats == ONCE
    assert 429 in {row["status"] for row in outside.line.requests}
    assert (await tally_of(real.database, delivery_id)).accepted == FRIENDS


@pytest.mark.faults
async def test_a_broadcast_too_many_says_nothing_about_the_rate_of_lists(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    outside.line.config.change({"rate.capacity": {"POST /v2/bot/message/broadcast": 0}})
    delivery_id = (await planned(real, friends, target=Target("everyone")))["line"]
    async with sending(real.context) as one:
        await eventually(lambda: _has_reason(real, delivery_id, "rate"))
        assert one.limiters["line"].rate == 200


@pytest.mark.faults
async def test_line_is_given_the_time_that_it_asks_for(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    outside.line.config.change({"rate.capacity": {"POST /v2/bot/message/multicast": 0}, "rate.retryAfter": 5})
    delivery_id = (await planned(real, friends[:1]))["line"]
    async with sending(real.context):
        await eventually(lambda: _tried(real, delivery_id))
    (row,) = await rows_of(real.database, delivery_id)
    assert (row.state, row.reason) == ("ready", "rate")
    assert row.not_before - row.created_at >= 5_000


async def _tried(stage: Stage, delivery_id: int) -> bool:
    return all(row.reason for row in await rows_of(stage.database, delivery_id))


@pytest.mark.faults
async def test_a_plan_used_up_by_somebody_else_stops_line_and_says_so_while_mail_goes_on(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    await register(real.database, real.context.keys, "mail", [f"p{n}@example.jp" for n in range(7)])
    ids = await planned(real, friends, channels=("line", "mail"))
    # After it was asked whether everyone fits, as by a message from LINE's own console.
    outside.line.channel.quota.change_plan({"type": "limited", "value": 12})
    await send_all(real, *ids.values())
    line, mail = [await tally_of(real.database, ids[account]) for account in ("line", "mail")]
    assert (line.state, line.reason) == ("stopped", "quota")
    # Batches of 5, 5, 5, 5 and 3: two of five fit into 12, or one of five and the last.
    assert line.accepted in (8, 10)
    assert line.accepted + line.refused == line.planned == FRIENDS
    assert sum(outside.chats.values()) == line.accepted
    assert (mail.state, mail.accepted) == ("planned", 7)
    assert outside.smtp.mailroom.stats()["recipients"] == 7


LOST_ANSWERS = [
    pytest.param({"action": "status", "code": 500, "stage": "after"}, id="500 after accepting"),
    pytest.param({"action": "reset", "when": "afterAccept"}, id="reset after accepting"),
    pytest.param({"action": "hang", "stage": "after"}, id="no answer after accepting"),
    pytest.param({"action": "status", "code": 503}, id="503 before accepting"),
    pytest.param({"action": "reset"}, id="reset before accepting"),
    pytest.param({"action": "outage", "seconds": 0.3}, id="outage"),
]


@pytest.mark.faults
@pytest.mark.parametrize("fault", LOST_ANSWERS)
async def test_whatever_becomes_of_the_answer_everybody_gets_the_notice_once(
    real: Stage, outside: Outside, friends: list[str], fault: dict[str, Any]
) -> None:
    if fault["action"] == "hang":
        outside.patience = 2.0
    outside.fault(times=3, **fault)
    delivery_id = (await planned(real, friends))["line"]
    await send_all(real, delivery_id)
    assert outside.chats == ONCE
    assert outside.multicasts > 5
    assert outside.line.channel.retry_keys.mismatches == 0
    assert (await tally_of(real.database, delivery_id)).accepted == FRIENDS


@pytest.mark.faults
async def test_a_revoked_token_waits_for_a_new_one_and_loses_nobody(
    real: Stage, outside: Outside, friends: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "STOPPED_ACCOUNT_WAIT", 200)
    outside.line.tokens.revoke(TOKEN)
    delivery_id = (await planned(real, friends))["line"]
    async with sending(real.context):
        await eventually(lambda: _has_reason(real, delivery_id, "credentials"))
        asked = outside.multicasts
        assert asked <= CONCURRENCY, "no more than were in flight"
        assert (await tally_of(real.database, delivery_id)).open == FRIENDS
        outside.line.tokens.add_long_lived(TOKEN, outside.line.channel.channel_id)
        await eventually(lambda: settled(real.database, delivery_id), hurry=real)
    assert outside.chats == ONCE


async def _has_reason(stage: Stage, delivery_id: int, reason: str) -> bool:
    return reason in {row.reason for row in await rows_of(stage.database, delivery_id)}


async def test_line_accepts_for_friends_who_block_the_account_and_the_ledger_says_no_more(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    for number in (3, 9):
        outside.line.channel.users.by_id[line_id(number)].state = "blocked"
    delivery_id = (await planned(real, friends))["line"]
    await send_all(real, delivery_id)
    assert outside.chats == ONCE - Counter({line_id(3): 1, line_id(9): 1})
    # Accepted by the platform is not delivered: LINE does not tell who has blocked the account.
    assert (await tally_of(real.database, delivery_id)).accepted == FRIENDS


async def test_an_id_that_line_does_not_know_is_refused_alone(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    outside.line.config.change({"multicast.unknownId": "reject400"})
    stranger = "U" + "f" * 32
    delivery_id = (await planned(real, [*friends[:7], stranger, *friends[7:]]))["line"]
    await send_all(real, delivery_id)
    assert outside.chats == ONCE
    refused = (await refusals_of(real.database, delivery_id)).values()
    assert [reason for reason in refused if reason != DEFERRED] == ["invalid_recipient"]
    assert (await tally_of(real.database, delivery_id)).accepted == FRIENDS


@pytest.mark.faults
async def test_a_bad_id_and_lost_answers_together_still_reach_everybody_once(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    outside.line.config.change({"multicast.unknownId": "reject400"})
    outside.line.faults.add(
        {
            "action": {"type": "status", "code": 500},
            "stage": "after",
            "match": {"path": "*/multicast", "every": 2},
            "times": 8,
        }
    )
    strangers = ["U" + "e" * 32, "U" + "f" * 32]
    mixed = [strangers[0], *friends[:9], strangers[1], *friends[9:]]
    delivery_id = (await planned(real, mixed))["line"]
    await send_all(real, delivery_id)
    assert outside.chats == ONCE
    found = await tally_of(real.database, delivery_id)
    assert (found.accepted, found.refused, found.unknown) == (FRIENDS, 2, 0)


async def test_a_notice_to_everyone_is_one_broadcast_that_also_reaches_unregistered_friends(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    delivery_id = (await planned(real, friends[:20], target=Target("everyone")))["line"]
    await send_all(real, delivery_id)
    assert outside.chats == ONCE
    assert outside.multicasts == 0
    # Only registrations are counted: what else the broadcast reached is LINE's to know.
    found = await tally_of(real.database, delivery_id)
    assert (found.planned, found.accepted) == (20, 20)


@pytest.mark.faults
async def test_a_broadcast_whose_answer_is_lost_reaches_everybody_once(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    outside.fault("reset", {"path": "*/broadcast"}, times=2, when="afterAccept")
    delivery_id = (await planned(real, friends, target=Target("everyone")))["line"]
    await send_all(real, delivery_id)
    assert outside.chats == ONCE


async def test_a_drill_bears_its_mark_in_what_the_phone_shows_first(
    outside: Outside, sqlite_database: Database, keys: Keys
) -> None:
    accounts = [{"key": "line", "channel": "line", "also_carries": ["drill"]}]
    stage = Stage(outside.context(create_town(accounts=accounts), sqlite_database, keys), {})
    outside.line_friends(2)
    texts = {"ja": ("避難訓練", "訓練の本文"), "en": ("Evacuation", "Leave.")}
    delivery_id = (await planned(stage, [line_id(1), line_id(2)], mode="drill", texts=texts))["line"]
    await send_all(stage, delivery_id)
    for number in (1, 2):
        (message,) = outside.words(number)
        assert message["altText"].startswith("【訓練】")


@pytest.mark.faults
async def test_a_sender_killed_again_and_again_reaches_everybody_once(
    real: Stage, outside: Outside, friends: list[str]
) -> None:
    outside.line_batch = 2
    outside.line.faults.add({"action": {"type": "latency", "ms": 60}, "match": {"path": "*/multicast"}})
    delivery_id = (await planned(real, friends))["line"]
    for _ in range(5):
        one = Sender(real.context, "killed")
        running = asyncio.create_task(one.run())
        await asyncio.sleep(0.09)
        await one.stop(within=0)
        await running
        await take_over(real.context)
    outside.line.faults.remove()
    await send_all(real, delivery_id)
    assert outside.chats == ONCE
    assert (await tally_of(real.database, delivery_id)).accepted == FRIENDS
