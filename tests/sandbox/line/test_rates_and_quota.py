"""Rate limits, plans and counts."""

import pytest

from tests.sandbox.line import line_sdk
from tests.sandbox.line.line_sdk import refusal
from tests.sandbox.line.line_town import EVENING, GRANDMOTHER, NEWCOMER, PARENT, text

RATE = "The API rate limit has been exceeded. Try again later."
MONTHLY = "You have reached your monthly limit."


async def frozen(town, now=EVENING):
    await town.send("PUT", "clock", {"now": now, "frozen": True})


async def test_multicast_stops_at_200_a_second_and_recovers(town):
    await frozen(town)
    for _ in range(200):
        assert (await town.raw_multicast([PARENT]))[0] == 200
    status, body = await town.raw_multicast([PARENT])
    assert (status, body["message"]) == (429, RATE)
    assert (await town.raw("GET", "/v2/bot/info"))[0] == 200
    await town.advance(1)
    assert (await town.raw_multicast([PARENT]))[0] == 200


async def test_a_scaled_limit_is_met_sooner_and_no_recipient_is_lost_to_it(line, town):
    await frozen(town)
    await town.config(rate__scale=0.005)
    await line.multicast(line_sdk.multicast([PARENT]))
    assert (await refusal(line.multicast(line_sdk.multicast([GRANDMOTHER])))).message == RATE
    await town.advance(1)
    await line.multicast(line_sdk.multicast([GRANDMOTHER]))
    assert (len(town.words(PARENT)), len(town.words(GRANDMOTHER))) == (1, 1)


async def test_retry_after_is_sent_only_by_knob(town):
    await frozen(town)
    await town.config(rate__capacity={"POST /v2/bot/message/multicast": 0})
    _, _, headers = await town.raw("POST", "/v2/bot/message/multicast", json={})
    assert "retry-after" not in headers
    await town.config(rate__retryAfter=7)
    _, _, headers = await town.raw("POST", "/v2/bot/message/multicast", json={})
    assert headers["retry-after"] == "7"


async def test_broadcast_stops_at_60_an_hour(town):
    await frozen(town)
    body = {"messages": [text()]}
    statuses = [(await town.raw("POST", "/v2/bot/message/broadcast", json=body))[0] for _ in range(61)]
    assert statuses == [200] * 60 + [429]
    await town.advance(60)
    assert (await town.raw("POST", "/v2/bot/message/broadcast", json=body))[0] == 200


async def test_a_bucket_can_be_emptied_on_purpose(town):
    await frozen(town)
    route = "POST /v2/bot/message/multicast"
    await town.fault({"type": "rateBurst", "route": route, "seconds": 5}, times=1)
    assert (await town.raw("GET", "/v2/bot/info"))[0] == 200
    assert (await town.raw_multicast([PARENT]))[0] == 429
    await town.advance(5)
    assert (await town.raw_multicast([PARENT]))[0] == 200


@pytest.mark.parametrize(
    ("plan", "allowance"), [("communication", 200), ("light", 5000), ("standard", 30000)]
)
async def test_a_preset_limits_the_month(line, town, plan, allowance):
    await town.channel_is(plan=plan)
    quota = await line.get_message_quota()
    assert (quota.type.value, quota.value) == ("limited", allowance)


async def test_the_municipal_plan_has_no_limit(line):
    quota = await line.get_message_quota()
    assert (quota.type.value, quota.value) == ("none", None)


async def test_when_the_quota_runs_out_midway_sent_chunks_stay_sent_and_nobody_of_the_next_gets_it(
    line, town
):
    await town.channel_is(plan={"type": "limited", "value": 2})
    await line.multicast(line_sdk.multicast([PARENT]))
    town.channel.users.by_id[NEWCOMER].state = "friend"
    failed = await refusal(line.multicast(line_sdk.multicast([GRANDMOTHER, NEWCOMER])))
    assert (failed.status, failed.message) == (429, MONTHLY)
    assert (len(town.words(PARENT)), town.words(GRANDMOTHER)) == (1, [])
    await line.multicast(line_sdk.multicast([GRANDMOTHER]))
    assert (await line.get_message_quota_consumption()).total_usage == 2


async def test_the_month_turns_at_midnight_in_japan(line, town):
    await frozen(town, 1_777_561_199_000)  # 2026-04-30 23:59:59
    await town.channel_is(plan={"type": "limited", "value": 1})
    await line.push_message(line_sdk.push(PARENT))
    assert (await refusal(line.push_message(line_sdk.push(PARENT)))).message == MONTHLY
    await town.advance(1)
    await line.push_message(line_sdk.push(PARENT))


async def test_consumption_may_come_late(line, town):
    await frozen(town)
    await town.config(quota__lagSeconds=60)
    await line.push_message(line_sdk.push(PARENT))
    assert (await line.get_message_quota_consumption()).total_usage == 0
    await town.advance(60)
    assert (await line.get_message_quota_consumption()).total_usage == 1


async def test_counts_of_a_day_are_ready_on_the_next(line, town):
    await frozen(town)
    await line.multicast(line_sdk.multicast([PARENT, GRANDMOTHER]))
    assert (await line.get_number_of_sent_multicast_messages("20260421")).status == "unready"
    await town.advance(24 * 3600)
    counted = await line.get_number_of_sent_multicast_messages("20260421")
    assert (counted.status, counted.success) == ("ready", 2)
    assert (await line.get_number_of_sent_push_messages("20260421")).success == 0
    failed = await refusal(line.get_number_of_sent_push_messages("tomorrow"))
    assert failed.message == "The value for the 'date' parameter is invalid"


async def test_insights_tell_followers_and_deliveries_of_past_days(town):
    await frozen(town)
    await town.raw_multicast([PARENT])
    await town.advance(24 * 3600)
    _, followers, _ = await town.raw("GET", "/v2/bot/insight/followers?date=20260421")
    assert followers == {"status": "ready", "followers": 2, "targetedReaches": 2, "blocks": 0}
    _, sent, _ = await town.raw("GET", "/v2/bot/insight/message/delivery?date=20260421")
    assert (sent["apiMulticast"], sent["apiPush"]) == (1, 0)


async def test_units_of_the_month_are_counted_and_listed(line):
    for unit in ("notice_1", "notice_2", "notice_1"):
        await line.push_message(line_sdk.push(PARENT, customAggregationUnits=[unit]))
    assert (await line.get_aggregation_unit_usage()).num_of_custom_aggregation_units == 2
    page = await line.get_aggregation_unit_name_list(limit="1")
    assert page.custom_aggregation_units == ["notice_1"]
    page = await line.get_aggregation_unit_name_list(limit="1", start=page.next)
    assert (page.custom_aggregation_units, page.next) == (["notice_2"], None)


async def test_the_scenario_of_a_quota_that_runs_out_leaves_half_of_the_friends(line, town):
    await town.send("POST", "users", {"count": 8})
    await town.send("POST", "scenarios/quota-runs-out-midway")
    assert (await line.get_message_quota()).value == 5
