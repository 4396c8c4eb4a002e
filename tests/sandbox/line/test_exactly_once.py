"""20,000 residents get an alert exactly once, also over a shaky platform. The ledger is the witness."""

import json
import uuid

import pytest

from tests.sandbox.line.line_town import TOKEN, text

RESIDENTS = 20_000
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


async def send_chunk(town, ids, key, alert):
    """What a careful sender does: 200 and 409 are success, 5xx is tried again with the same key."""
    body = json.dumps({"to": ids, "messages": [alert]})
    for _ in range(20):
        async with town.session.post(
            f"{town.origin}/v2/bot/message/multicast", data=body, headers={**HEADERS, "X-Line-Retry-Key": key}
        ) as answer:
            if answer.status in (200, 409):
                return answer.status
            assert answer.status >= 500
    raise AssertionError("the platform never took the chunk")


async def fan_out(town, alert):
    ids = [user.user_id for user in town.channel.users.all if user.state == "friend"]
    chunks = [ids[start : start + 500] for start in range(0, len(ids), 500)]
    keys = [str(uuid.UUID(int=number + 1)) for number in range(len(chunks))]
    return [await send_chunk(town, chunk, key, alert) for chunk, key in zip(chunks, keys, strict=True)]


@pytest.mark.parametrize("ledger", ["summary", "full"])
async def test_20000_residents_get_an_alert_exactly_once(make_town, ledger):
    town = await make_town(ledger=ledger)
    await town.send("POST", "users", {"count": RESIDENTS, "blockedRatio": 0.03})
    assert set(await fan_out(town, text("避難指示"))) == {200}
    stats = await town.get("stats")
    friends = stats["users"]["friend"]
    [alert] = stats["alerts"]
    assert (alert["users"], alert["delivered"], alert["duplicated"]) == (friends, friends, 0)
    assert stats["retryKeys"]["duplicated"] == stats["duplicates"] == 0
    assert stats["methods"]["multicast"]["p99"] > 0
    assert stats["quota"]["used"] == friends


async def test_a_flaky_platform_is_survived_with_retry_keys(make_town):
    town = await make_town(ledger="summary")
    await town.send("POST", "users", {"count": RESIDENTS})
    await town.send("POST", "scenarios/flaky-500-10pct")
    for name in ("status", "status"):
        await town.fault(name, stage="after", match={"path": "*/multicast", "every": 5})
    answers = await fan_out(town, text("避難指示"))
    assert answers.count(409) >= 4
    stats = await town.get("stats")
    [alert] = stats["alerts"]
    assert (alert["users"], alert["duplicated"]) == (stats["users"]["friend"], 0)
    struck = {fault["id"]: fault["hits"] for fault in (await town.get("faults"))["faults"]}
    assert sum(struck.values()) >= 4


async def test_a_sender_without_retry_keys_is_caught(make_town):
    town = await make_town(ledger="summary")
    ids = [user.user_id for user in town.channel.users.all]
    for _ in range(2):
        await town.raw_multicast(ids)
    stats = await town.get("stats")
    assert (stats["alerts"][0]["users"], stats["alerts"][0]["duplicated"], stats["duplicates"]) == (2, 2, 2)


async def test_the_summary_ledger_keeps_no_chats_but_still_knows_who_got_what(make_town):
    town = await make_town(ledger="summary")
    user = town.channel.users.all[0]
    await town.raw_multicast([user.user_id])
    assert user.history is None
    assert (await town.get(f"deliveries?userId={user.user_id}"))["deliveries"][0]["outcome"] == "delivered"


async def test_200000_residents_are_made_by_one_call(make_town):
    town = await make_town(ledger="summary")
    status, made = await town.send(
        "POST", "users", {"count": 200_000, "blockedRatio": 0.1, "languages": ["ja", "en"]}
    )
    assert (status, made["created"]) == (201, 200_000)
    assert "userIds" not in made
    states = town.channel.users.states()
    assert 19_000 < states["blocked"] < 21_000


async def test_people_who_block_during_the_sending_are_not_counted(make_town):
    town = await make_town(ledger="summary")
    await town.send("POST", "users", {"count": 2_000})
    await town.send("POST", "scenarios/mass-block-during-send")
    await fan_out(town, text("避難指示"))
    stats = await town.get("stats")
    multicast = stats["methods"]["multicast"]
    assert multicast["suppressed"]["blocked"] > 50
    assert multicast["delivered"] + multicast["suppressed"]["blocked"] == multicast["recipients"]
    assert stats["duplicates"] == 0
