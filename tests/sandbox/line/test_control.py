"""Turning the knobs: clock, faults, scenarios, channels, narrowcast jobs."""

import pytest

from sandbox.line import LineSandbox, SandboxOptions, run
from sandbox.line.scenarios import SCENARIOS
from sandbox.line.textlength import graphemes, utf16_units
from tests.sandbox.line import line_sdk
from tests.sandbox.line.line_sdk import refusal, sdk_for
from tests.sandbox.line.line_town import EVENING, PARENT, TOKEN, options, text


async def test_the_same_seed_makes_the_same_people_and_ids(make_town):
    seen = []
    for _ in range(2):
        town = await make_town(seed=5)
        _, made = await town.send("POST", "users", {"count": 3})
        _, answer, headers = await town.raw("GET", "/v2/bot/info")
        seen.append((made["userIds"], answer, headers["x-line-request-id"]))
    assert seen[0] == seen[1]


async def test_a_reset_forgets_people_faults_and_knobs(town):
    await town.config(rate__scale=0.1)
    await town.fault("hang")
    await town.send("POST", "reset", {"seed": 9})
    assert (await town.get("users"))["total"] == 0
    assert (await town.get("faults"))["faults"] == []
    assert (await town.get("config"))["rate.scale"] == 1
    assert (await town.raw("GET", "/v2/bot/info"))[0] == 200


async def test_the_clock_can_be_set_frozen_and_advanced(town):
    _, clock = await town.send("PUT", "clock", {"now": EVENING, "frozen": True})
    assert clock == {"now": EVENING, "rate": 1.0, "frozen": True}
    await town.advance(90)
    assert (await town.get("clock"))["now"] == EVENING + 90_000
    assert (await town.send("PUT", "clock", {"rate": 0}))[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "config", {"rate.scale": "fast"}),
        ("PUT", "config", {"colour": "red"}),
        ("POST", "faults", {"action": "explode"}),
        ("POST", "faults", {"action": "drop", "target": "api"}),
        ("POST", "faults", {"action": "hang", "match": {"moon": "full"}}),
        ("POST", "faults", {"action": "hang", "times": 0}),
        ("POST", "faults", {"action": {"type": "status", "code": 200}}),
        ("POST", "faults", {"action": "status", "match": {"probability": 2}}),
        ("POST", "faults", {}),
        ("POST", "reset", {"seed": "x"}),
        ("POST", "channels", {"plan": "gold"}),
        ("POST", "clock/advance", {"seconds": -1}),
    ],
)
async def test_a_wrong_setting_is_refused_with_a_reason_and_changes_nothing(town, method, path, body):
    before = await town.get("config")
    status, answer = await town.send(method, path, body)
    assert (status, bool(answer["message"])) == (400, True)
    assert await town.get("config") == before
    assert (await town.get("faults"))["faults"] == []


async def test_faults_count_their_hits_and_can_be_removed_one_by_one(town):
    await town.fault({"type": "status", "code": 502}, match={"path": "*/info", "nth": 2})
    await town.fault(
        {"type": "status", "code": 503, "body": "<h1>busy</h1>"}, match={"method": "POST"}, times=1
    )
    assert [(await town.raw("GET", "/v2/bot/info"))[0] for _ in range(3)] == [200, 502, 200]
    first, second = (await town.get("faults"))["faults"]
    assert (first["seen"], first["hits"], second["hits"]) == (3, 1, 0)
    await town.send("DELETE", f"faults/{first['id']}")
    assert [fault["id"] for fault in (await town.get("faults"))["faults"]] == [second["id"]]
    assert (await town.send("DELETE", "faults/fault-99"))[0] == 404


async def test_a_fault_with_a_probability_is_the_same_on_every_run(make_town):
    runs = []
    for _ in range(2):
        town = await make_town(seed=3)
        await town.fault("status", match={"probability": 0.5})
        runs.append([(await town.raw("GET", "/v2/bot/info"))[0] for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_scenario_starts(town, name):
    status, answer = await town.send("POST", f"scenarios/{name}")
    assert (status, answer["scenario"]) == (201, name)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_without_faults_everything_is_as_before_a_scenario(town, name):
    plan, config = town.channel.quota.limit, await town.get("config")
    await town.send("POST", f"scenarios/{name}")
    assert (await town.send("DELETE", "faults"))[0] == 200
    assert (town.channel.quota.limit, await town.get("config")) == (plan, config)
    assert (await town.raw("GET", "/v2/bot/info"))[0] == 200


async def test_an_unknown_scenario_is_refused_with_the_names_of_all(town):
    status, answer = await town.send("POST", "scenarios/earthquake")
    assert (status, "slow-network" in answer["message"]) == (404, True)


async def test_a_second_channel_has_its_own_people_token_and_quota(town):
    body = {"channelToken": "second", "plan": "communication", "displayName": "消防団"}
    _, channel = await town.send("POST", "channels", body)
    _, made = await town.send("POST", f"users?channel={channel['channelId']}", {"count": 1})
    async with sdk_for(town, "second") as line:
        assert (await line.get_bot_info()).display_name == "消防団"
        assert (await line.get_message_quota()).value == 200
        await line.push_message(line_sdk.push(made["userIds"][0]))
        assert (await refusal(line.push_message(line_sdk.push(PARENT)))).message == "Failed to send messages"
    assert (await town.get("users"))["total"] == 3
    assert (await town.raw("GET", "/v2/bot/message/quota"))[1] == {"type": "none"}


async def test_every_request_is_noted_with_its_end(line, town):
    await line.push_message_with_http_info(line_sdk.push(PARENT))
    await town.raw("GET", "/v2/bot/nothing")
    rows = (await town.get("requests"))["requests"]
    assert [(row["endpoint"], row["status"], row["accepted"]) for row in rows] == [
        ("POST /v2/bot/message/push", 200, True),
        ("GET (unknown)", 404, False),
    ]
    assert rows[0]["bytes"] > 0


async def narrowcast(line, **more):
    from linebot.v3.messaging import NarrowcastRequest

    request = NarrowcastRequest.from_dict({"messages": [text()], **more})
    answer = await line.narrowcast_with_http_info(request)
    return answer.status_code, answer.headers["x-line-request-id"]


async def test_a_narrowcast_is_worked_off_later(line, town):
    await town.send("PUT", "clock", {"frozen": True})
    await town.send("POST", "users", {"count": 60})
    status, request_id = await narrowcast(line)
    assert status == 202
    assert (await line.get_narrowcast_progress(request_id)).phase == "waiting"
    await town.advance(1)
    assert (await line.get_narrowcast_progress(request_id)).phase == "sending"
    assert town.words(PARENT) == []
    await town.advance(1)
    done = await line.get_narrowcast_progress(request_id)
    assert (done.phase, done.success_count, done.target_count) == ("succeeded", 62, 62)
    assert town.words(PARENT) == ["避難してください"]
    await town.advance(15 * 24 * 3600)
    assert (await refusal(line.get_narrowcast_progress(request_id))).status == 404


async def test_a_narrowcast_to_fewer_than_50_fails(line, town):
    await town.send("PUT", "clock", {"frozen": True})
    _, request_id = await narrowcast(line)
    await town.advance(1)
    await town.advance(1)
    progress = await line.get_narrowcast_progress(request_id)
    assert (progress.phase, progress.error_code) == ("failed", 2)
    assert town.words(PARENT) == []


async def test_a_narrowcast_holds_the_quota_of_its_whole_reach_until_it_ends(line, town):
    await town.send("PUT", "clock", {"frozen": True})
    await town.channel_is(plan={"type": "limited", "value": 62})
    await town.send("POST", "users", {"count": 60})
    await narrowcast(line, limit={"max": 50})
    await line.multicast(line_sdk.multicast([user.user_id for user in town.channel.users.all[:10]]))
    failed = await refusal(
        line.multicast(line_sdk.multicast([u.user_id for u in town.channel.users.all[:10]]))
    )
    assert failed.message == "You have reached your monthly limit."


async def test_a_filter_needs_a_hundred_friends(line):
    failed = await refusal(narrowcast(line, filter={"demographic": {"type": "gender", "oneOf": ["male"]}}))
    assert (failed.status, failed.message) == (403, "Your account does not have enough friends")


async def test_other_machines_are_kept_out_unless_allowed():
    with pytest.raises(ValueError, match="this machine only"):
        await run(options(), host="0.0.0.0", port=0)


def test_secrets_do_not_show_when_options_are_printed():
    shown = repr(SandboxOptions("secret-s", "secret-t")) + repr(LineSandbox(options()).channel)
    assert "secret-s" not in shown and "secret-t" not in shown and TOKEN not in shown


@pytest.mark.parametrize(
    ("words", "units", "characters"),
    [
        ("abc", 3, 3),
        ("避難", 2, 2),
        ("🚨", 2, 1),
        ("か\u3099", 2, 1),
        ("👨‍👩‍👧", 8, 1),
        ("🇯🇵🇧🇷", 8, 2),
        ("👍🏽", 4, 1),
    ],
)
def test_characters_are_counted_as_line_counts_them(words, units, characters):
    assert (utf16_units(words), graphemes(words)) == (units, characters)
