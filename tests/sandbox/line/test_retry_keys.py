"""A retry key makes a message arrive exactly once. LINE Messaging API reference, #retry-api-request."""

import asyncio

import aiohttp
import pytest

from tests.sandbox.line import line_sdk
from tests.sandbox.line.line_sdk import refusal
from tests.sandbox.line.line_town import GRANDMOTHER, KEY, PARENT, text


async def keyed_multicast(line, *, key=KEY, **more):
    return await line.multicast_with_http_info(line_sdk.multicast([PARENT]), x_line_retry_key=key, **more)


async def test_the_same_key_twice_is_200_then_409_with_the_accepted_id(line, town):
    first = await keyed_multicast(line)
    second = await refusal(keyed_multicast(line))
    assert (second.status, second.message) == (409, "The retry key is already accepted")
    assert second.headers["x-line-accepted-request-id"] == first.headers["x-line-request-id"]
    assert second.headers["x-line-request-id"] != first.headers["x-line-request-id"]
    assert len(town.words(PARENT)) == 1
    assert (await line.get_message_quota_consumption()).total_usage == 1


async def test_a_repeated_push_gets_the_message_ids_of_the_first(line):
    first = await line.push_message(line_sdk.push(PARENT), x_line_retry_key=KEY)
    second = await refusal(line.push_message(line_sdk.push(PARENT), x_line_retry_key=KEY))
    sent = first.sent_messages[0]
    assert second.body["sentMessages"] == [{"id": sent.id, "quoteToken": sent.quote_token}]


@pytest.mark.parametrize(("seconds", "copies"), [(24 * 3600 - 60, 1), (24 * 3600, 2)])
async def test_a_key_is_kept_for_24_hours(line, town, seconds, copies):
    await keyed_multicast(line)
    await town.advance(seconds)
    answers = await asyncio.gather(keyed_multicast(line), return_exceptions=True)
    assert isinstance(answers[0], Exception) == (copies == 1)
    assert len(town.words(PARENT)) == copies


async def test_two_requests_at_once_with_one_key_are_accepted_once(town):
    key = {"X-Line-Retry-Key": KEY}
    answers = await asyncio.gather(*[town.raw_multicast([PARENT], **key) for _ in range(5)])
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409]
    assert len(town.words(PARENT)) == 1


async def test_the_case_of_a_key_does_not_matter(line):
    await keyed_multicast(line, key=KEY.upper())
    assert (await refusal(keyed_multicast(line))).status == 409


async def test_a_key_that_is_no_uuid_is_refused(line, town):
    failed = await refusal(keyed_multicast(line, key="not-a-uuid"))
    assert (failed.status, "X-Line-Retry-Key" in failed.message) == (400, True)
    assert town.words(PARENT) == []


async def test_a_key_on_a_reply_is_refused_and_the_reply_token_stays_good(line, town, bot):
    await town.act(PARENT, "text", text="はい")
    body = {"replyToken": bot.events[0]["replyToken"], "messages": [text()]}
    status, answer, _ = await town.raw(
        "POST", "/v2/bot/message/reply", json=body, headers={"X-Line-Retry-Key": KEY}
    )
    assert (status, answer["message"]) == (400, "The retry key is not supported for this endpoint")
    await line.reply_message(line_sdk.reply(body["replyToken"]))


async def test_a_refused_request_leaves_its_key_unused(line, town):
    await town.channel_is(plan={"type": "limited", "value": 0})
    assert (await refusal(keyed_multicast(line))).status == 429
    await town.channel_is(plan="municipal")
    assert (await keyed_multicast(line)).status_code == 200


@pytest.mark.parametrize(
    ("policy", "status", "copies"), [("409", 409, 1), ("400", 400, 1), ("accept", 200, 2)]
)
async def test_a_known_key_with_another_body_follows_the_knob(town, policy, status, copies):
    await town.config(retryKey__mismatch=policy)
    key = {"X-Line-Retry-Key": KEY}
    await town.raw_multicast([PARENT], text("一"), **key)
    assert (await town.raw_multicast([PARENT], text("二"), **key))[0] == status
    assert len(town.words(PARENT)) == copies
    assert (await town.get("stats"))["retryKeyMismatches"] == 1


@pytest.mark.parametrize(
    "trouble",
    ["status", "hang", {"type": "reset", "when": "afterAccept"}, {"type": "reset", "when": "body"}],
    ids=["500", "hang", "reset", "reset in the body"],
)
async def test_a_message_accepted_without_an_answer_arrives_once_although_the_client_retries(
    line, town, trouble
):
    await town.fault(trouble, stage="after", match={"path": "*/multicast"}, times=1)
    with pytest.raises((Exception, asyncio.TimeoutError)) as failure:
        await keyed_multicast(line, _request_timeout=2)
    assert not isinstance(failure.value, AssertionError)
    assert (await refusal(keyed_multicast(line))).status == 409
    assert len(town.words(PARENT)) == 1
    tally = (await town.get("stats"))["retryKeys"]["list"][0]
    assert (tally["users"], tally["duplicated"]) == (1, 0)


@pytest.mark.parametrize("trouble", ["status", "hang", "reset"])
async def test_trouble_before_acceptance_delivers_nothing_and_the_retry_delivers(line, town, trouble):
    await town.fault(trouble, stage="before", match={"path": "*/multicast"}, times=1)
    with pytest.raises((Exception, asyncio.TimeoutError)):
        await keyed_multicast(line, _request_timeout=2)
    assert town.words(PARENT) == []
    await keyed_multicast(line)
    assert len(town.words(PARENT)) == 1


async def test_a_fault_can_strike_retries_only(line, town):
    match = {"path": "*/multicast", "retryKeySeen": True}
    await town.fault({"type": "status", "code": 503}, match=match, times=1)
    await keyed_multicast(line)
    assert (await refusal(keyed_multicast(line))).status == 503
    assert (await refusal(keyed_multicast(line))).status == 409


async def test_a_fault_can_single_out_one_recipient(line, town):
    await town.fault("status", match={"userId": GRANDMOTHER})
    await line.multicast(line_sdk.multicast([PARENT]))
    assert (await refusal(line.multicast(line_sdk.multicast([PARENT, GRANDMOTHER])))).status == 500


@pytest.mark.parametrize("broken", ["badJson", "emptyBody", "truncate", "wrongContentType", "slowBody"])
async def test_a_spoiled_answer_comes_after_the_delivery(town, broken):
    await town.fault({"type": broken, "bytesPerSecond": 1000}, match={"path": "*/push"}, times=1)
    body = {"to": PARENT, "messages": [text()]}
    headers = {"Authorization": "Bearer long-lived-token-of-the-town"}
    async with town.session.post(f"{town.origin}/v2/bot/message/push", json=body, headers=headers) as answer:
        raw = await answer.read()
    assert answer.status == 200
    whole = raw.endswith(b"}") and answer.content_type == "application/json"
    assert whole == (broken == "slowBody")
    assert len(town.words(PARENT)) == 1


async def test_the_request_id_can_be_missing(town):
    await town.fault({"type": "dropHeader", "name": "X-Line-Request-Id"}, times=1)
    _, _, headers = await town.raw("GET", "/v2/bot/info")
    assert "x-line-request-id" not in headers


async def test_a_reset_reaches_the_client_as_a_broken_connection(town):
    await town.fault("reset", times=1)
    with pytest.raises(aiohttp.ClientError):
        await town.raw_multicast([PARENT])
