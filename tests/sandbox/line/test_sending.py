"""Messages reach whom they should, and the ledger knows."""

import pytest

from tests.sandbox.line import line_sdk
from tests.sandbox.line.line_sdk import refusal
from tests.sandbox.line.line_town import GRANDMOTHER, NEWCOMER, PARENT, STRANGER, text


async def test_a_push_reaches_one_person_and_tells_the_message_id(line, town):
    answer = await line.push_message_with_http_info(line_sdk.push(PARENT, text("ごみの日です")))
    assert answer.status_code == 200
    assert answer.headers["x-line-request-id"]
    assert len(answer.data.sent_messages[0].id) == 18
    assert town.words(PARENT) == ["ごみの日です"]
    assert town.words(GRANDMOTHER) == []


async def test_a_multicast_reaches_everyone_listed_and_answers_an_empty_object(line, town):
    answer = await line.multicast_with_http_info(line_sdk.multicast([PARENT, GRANDMOTHER]))
    assert answer.status_code == 200
    assert await town.raw_multicast([PARENT]) == (200, {})
    assert town.words(GRANDMOTHER) == ["避難してください"]


async def test_a_broadcast_reaches_friends_only(line, town):
    await line.broadcast(line_sdk.broadcast())
    assert town.words(PARENT) == town.words(GRANDMOTHER) == ["避難してください"]
    assert town.words(NEWCOMER) == []


async def test_a_reply_answers_the_event_and_costs_nothing(line, town, bot):
    await town.act(PARENT, "text", text="こんにちは")
    answer = await line.reply_message(line_sdk.reply(bot.events[0]["replyToken"], text("はい")))
    assert answer.sent_messages[0].quote_token
    assert town.words(PARENT) == ["こんにちは", "はい"]
    assert (await line.get_message_quota_consumption()).total_usage == 0


async def test_the_ledger_shows_each_message_and_recipient(line, town):
    await line.multicast(line_sdk.multicast([PARENT, GRANDMOTHER], text("一"), text("二")))
    rows = (await town.get("deliveries"))["deliveries"]
    assert [(row["userId"], row["outcome"]) for row in rows] == [
        (PARENT, "delivered"),
        (PARENT, "delivered"),
        (GRANDMOTHER, "delivered"),
        (GRANDMOTHER, "delivered"),
    ]
    assert len({row["messageId"] for row in rows}) == 2
    assert len((await town.get(f"deliveries?userId={PARENT}"))["deliveries"]) == 2


async def test_a_blocked_person_is_neither_reached_nor_counted_and_the_answer_is_200(line, town):
    town.channel.users.by_id[PARENT].state = "blocked"
    await line.multicast(line_sdk.multicast([PARENT, GRANDMOTHER]))
    await line.push_message(line_sdk.push(PARENT))
    assert town.words(PARENT) == []
    assert (await line.get_message_quota_consumption()).total_usage == 1
    stats = await town.get("stats")
    assert stats["methods"]["multicast"]["suppressed"] == {"blocked": 1}


@pytest.mark.parametrize(("state", "outcome"), [("deleted", "deleted"), ("none", "notFriend")])
async def test_people_who_left_or_never_joined_are_suppressed_silently(line, town, state, outcome):
    town.channel.users.by_id[PARENT].state = state
    await line.push_message(line_sdk.push(PARENT))
    assert (await town.get("deliveries"))["deliveries"][0]["outcome"] == outcome


async def test_a_person_who_wrote_without_joining_is_reached_by_push_for_seven_days(line, town, bot):
    await town.act(NEWCOMER, "text", text="hello")
    await line.push_message(line_sdk.push(NEWCOMER, text("hi")))
    await town.advance(7 * 24 * 3600 + 1)
    await line.push_message(line_sdk.push(NEWCOMER, text("too late")))
    assert town.words(NEWCOMER) == ["hello", "hi"]


async def test_a_push_to_an_id_that_the_channel_does_not_know_fails(line):
    failed = await refusal(line.push_message(line_sdk.push(STRANGER)))
    assert (failed.status, failed.message) == (400, "Failed to send messages")


async def test_a_multicast_with_an_unknown_id_is_accepted_for_the_others(line, town):
    await line.multicast(line_sdk.multicast([STRANGER, PARENT]))
    assert town.words(PARENT) == ["避難してください"]


async def test_by_knob_an_unknown_id_refuses_the_whole_multicast(line, town):
    await town.config(multicast__unknownId="reject400")
    failed = await refusal(line.multicast(line_sdk.multicast([PARENT, STRANGER])))
    assert failed.status == 400
    assert "to[1]" in failed.message
    assert town.words(PARENT) == []


async def test_a_malformed_id_refuses_the_whole_multicast(line, town):
    failed = await refusal(line.multicast(line_sdk.multicast([PARENT, "U123"])))
    assert (failed.status, failed.message) == (
        400,
        "The property, 'to[1]', in the request body is invalid (line: -, column: -)",
    )
    assert town.words(PARENT) == []


@pytest.mark.parametrize(("policy", "copies"), [("once", 1), ("each", 2)])
async def test_an_id_twice_in_one_multicast_follows_the_knob(line, town, policy, copies):
    await town.config(multicast__duplicates=policy)
    await line.multicast(line_sdk.multicast([PARENT, PARENT]))
    assert len(town.words(PARENT)) == copies
    assert (await town.get("stats"))["duplicates"] == copies - 1
    assert (await line.get_message_quota_consumption()).total_usage == 1


async def test_by_knob_an_id_twice_is_refused(line, town):
    await town.config(multicast__duplicates="reject400")
    failed = await refusal(line.multicast(line_sdk.multicast([PARENT, GRANDMOTHER, PARENT])))
    assert "to[2]" in failed.message


async def test_silent_messages_are_marked_on_the_phone(line, town):
    await line.push_message(line_sdk.push(PARENT, notificationDisabled=True))
    state = await town.get(f"phone/{PARENT}/state.json")
    assert [entry["silent"] for entry in state["messages"]] == [True]


async def test_validation_twins_check_and_send_nothing(line, town):
    from linebot.v3.messaging import ValidateMessageRequest

    for check in (line.validate_push, line.validate_multicast, line.validate_broadcast):
        await check(ValidateMessageRequest.from_dict({"messages": [text()]}))
    wrong = ValidateMessageRequest.from_dict({"messages": [text("")]})
    assert (await refusal(line.validate_narrowcast(wrong))).status == 400
    assert (await refusal(line.validate_reply(wrong))).status == 400
    assert town.words(PARENT) == []
    assert (await line.get_message_quota_consumption()).total_usage == 0
