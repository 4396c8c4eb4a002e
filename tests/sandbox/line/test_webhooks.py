"""Events reach the bot server signed, in time, again when asked. LINE documentation, receiving-messages."""

import json

import pytest

from sandbox.line.signature import sign
from sandbox.line.webhook_post import may_reach
from tests.sandbox.line.line_town import GRANDMOTHER, NEWCOMER, PARENT, SECRET, until

KNOWN_BODY = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'


def parse(raw, signature):
    from linebot.v3 import WebhookParser

    return WebhookParser(SECRET).parse(raw.decode(), signature)


def test_the_signature_is_that_of_lines_own_example():
    assert sign(SECRET, KNOWN_BODY) == "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="


@pytest.mark.parametrize(
    ("secret", "body"),
    [
        ("0" * 32, KNOWN_BODY),
        (SECRET, KNOWN_BODY.replace(b"U8", b"U9")),
        (SECRET, json.dumps(json.loads(KNOWN_BODY)).encode()),
    ],
    ids=["another secret", "an altered byte", "another formatting"],
)
def test_the_sdk_refuses_a_signature_of(secret, body):
    from linebot.v3.exceptions import InvalidSignatureError

    with pytest.raises(InvalidSignatureError):
        parse(KNOWN_BODY, sign(secret, body))


def test_the_sdk_takes_the_signature_over_the_bytes_as_sent():
    assert parse(KNOWN_BODY, sign(SECRET, KNOWN_BODY)) == []


@pytest.mark.parametrize("fault", ["badSignature", "wrongSecret", "noSignature"])
async def test_a_bad_or_missing_signature_is_refused_by_the_bot(town, bot, fault):
    await town.fault(fault, target="webhook", times=1)
    assert (await town.act(PARENT, "text", text="はい"))["webhook"]["status"] == 401
    assert (await town.act(PARENT, "text", text="はい"))["webhook"]["status"] == 200
    assert (len(bot.refused), len(bot.events)) == (1, 1)
    assert ("x-line-signature" in bot.refused[0]) == (fault != "noSignature")


async def test_each_action_becomes_the_event_that_the_sdk_knows(town, bot):
    await town.act(NEWCOMER, "follow")
    await town.act(NEWCOMER, "text", text="日本語🙂")
    await town.act(NEWCOMER, "postback", data="v1|ack|7", displayText="見ました")
    await town.act(NEWCOMER, "datetime", data="v1|day", params={"date": "2026-04-21"})
    await town.act(NEWCOMER, "sticker")
    await town.act(NEWCOMER, "image")
    await town.act(NEWCOMER, "location", latitude=38.05, longitude=140.76)
    await town.act(NEWCOMER, "accountLink", nonce="n" * 20)
    await town.act(NEWCOMER, "unsend", messageId="1")
    await town.act(NEWCOMER, "block")
    await town.act(NEWCOMER, "unblock")
    raw = json.dumps({"destination": town.channel.bot_user_id, "events": bot.events}).encode()
    events = parse(raw, sign(SECRET, raw))
    kinds = [type(event).__name__.removesuffix("Event") for event in events]
    assert kinds == [
        "Follow",
        "Message",
        "Postback",
        "Postback",
        "Message",
        "Message",
        "Message",
        "AccountLink",
        "Unsend",
        "Unfollow",
        "Follow",
    ]
    assert events[0].follow.is_unblocked is False
    assert events[1].message.text == "日本語🙂"
    assert events[3].postback.params == {"date": "2026-04-21"}
    assert events[-1].follow.is_unblocked is True
    assert "replyToken" not in bot.events[-2]
    assert all(event.source.user_id == NEWCOMER and len(event.webhook_event_id) == 26 for event in events)
    assert all(body["destination"] == town.channel.bot_user_id for body in bot.bodies)


async def test_the_console_verifies_with_an_empty_webhook(line, town, bot):
    status, answer = await town.send("POST", "webhook/verify")
    assert (status, answer["success"], answer["reason"]) == (200, True, "OK")
    assert bot.bodies == [{"destination": town.channel.bot_user_id, "events": []}]
    tested = await line.test_webhook_endpoint()
    assert (tested.success, tested.status_code, tested.reason) == (True, 200, "OK")


@pytest.mark.parametrize(
    ("status", "reason"), [(500, "ERROR_STATUS_CODE"), (302, "ERROR_STATUS_CODE"), (204, "OK")]
)
async def test_verifying_tells_how_the_bot_answered(line, bot, status, reason):
    bot.status = status
    assert (await line.test_webhook_endpoint()).reason == reason


async def test_the_webhook_address_is_read_and_set_by_the_api(line, town):
    from linebot.v3.messaging import SetWebhookEndpointRequest

    from tests.sandbox.line.line_sdk import refusal

    assert (await refusal(line.get_webhook_endpoint())).message == "Webhook endpoint not found"
    await line.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint="http://127.0.0.1:9/line/webhook"))
    endpoint = await line.get_webhook_endpoint()
    assert (endpoint.endpoint, endpoint.active) == ("http://127.0.0.1:9/line/webhook", True)
    outside = SetWebhookEndpointRequest(endpoint="https://example.com/hook")
    assert (await refusal(line.set_webhook_endpoint(outside))).status == 400
    assert (await line.test_webhook_endpoint()).reason == "COULD_NOT_CONNECT"


def test_webhooks_leave_this_machine_only_when_allowed():
    assert may_reach("http://localhost:8080/hook", False)
    assert may_reach("http://[::1]:8080/hook", False)
    assert not may_reach("http://192.168.1.5/hook", False)
    assert not may_reach("http://localhost.example.com/hook", False)
    assert may_reach("http://app:8080/hook", True)


async def test_a_duplicate_is_the_same_event_without_the_redelivery_mark(town, bot):
    await town.config(webhook__batch=1)
    await town.fault({"type": "duplicate", "n": 1}, target="webhook", times=1)
    await town.act(PARENT, "text", text="はい")
    await until(lambda: len(bot.events) == 2)
    first, second = bot.events
    assert first == second
    assert second["deliveryContext"] == {"isRedelivery": False}


async def test_a_late_unfollow_arrives_after_a_newer_follow_and_says_so_by_its_time(town, bot):
    await town.fault({"type": "delay", "ms": 5000}, target="webhook", match={"event": "unfollow"})
    await town.send("POST", f"users/{PARENT}/actions", {"type": "block"})
    await town.advance(1)
    await town.act(PARENT, "unblock")
    await town.advance(5)
    await until(lambda: len(bot.events) == 2)
    assert [event["type"] for event in bot.events] == ["follow", "unfollow"]
    assert bot.events[1]["timestamp"] < bot.events[0]["timestamp"]


async def test_a_redelivery_has_the_same_id_and_the_mark(town, bot):
    await town.fault("redeliver", target="webhook", times=1)
    await town.act(PARENT, "text", text="はい")
    await until(lambda: len(bot.events) == 2)
    first, second = bot.events
    assert first["webhookEventId"] == second["webhookEventId"]
    assert (first["timestamp"], first["replyToken"]) == (second["timestamp"], second["replyToken"])
    assert second["deliveryContext"] == {"isRedelivery": True}


async def test_a_failed_webhook_is_not_repeated_by_default(town, bot):
    bot.status = 500
    await town.act(PARENT, "text", text="はい")
    await town.advance(1000)
    assert len(bot.bodies) == 1


async def test_with_redelivery_on_a_failed_webhook_comes_again_until_it_is_taken(town, bot):
    await town.channel_is(webhook={"redelivery": True})
    bot.status = 500
    await town.act(PARENT, "text", text="はい")
    await town.advance(10)
    await until(lambda: len(bot.bodies) == 2)
    bot.status = 200
    await until(lambda: len(town.channel.dispatcher.attempts.newest) == 2)
    await town.advance(60)
    await until(lambda: len(bot.bodies) == 3)
    await until(lambda: len(town.channel.dispatcher.attempts.newest) == 3)
    await town.advance(300)
    attempts = (await town.get("webhooks"))["webhooks"]
    assert [(a["attempt"], a["status"]) for a in attempts] == [(1, 500), (2, 500), (3, 200)]


async def test_a_slow_bot_is_noted_as_a_timeout(town, bot):
    assert town.channel.webhook.timeout_ms == 2000
    await town.channel_is(webhook={"timeoutMs": 50})
    bot.delay = 0.5
    answer = await town.act(PARENT, "text", text="はい")
    assert answer["webhook"]["reason"] == "request_timeout"
    log = await town.get("webhooks")
    assert [(row["reason"], row["count"]) for row in log["errors"]] == [("request_timeout", 1)]


async def test_a_bot_that_is_down_is_noted_as_not_connected(town):
    town.channel.webhook.url = "http://127.0.0.1:9/line/webhook"
    answer = await town.act(PARENT, "text", text="はい")
    assert answer["webhook"]["reason"] == "could_not_connect"


async def test_without_an_endpoint_nothing_is_sent(town):
    answer = await town.act(PARENT, "text", text="はい")
    assert answer["webhook"] == {"status": None, "ms": 0.0, "reason": "no_endpoint"}


async def test_tomorrows_events_and_standby_pass_the_sdk_as_they_are(town, bot):
    await town.fault({"type": "unknownEvent", "event": "teleport"}, target="webhook", times=1)
    await town.act(PARENT, "text", text="一")
    await town.fault("standby", target="webhook", times=1)
    await town.act(PARENT, "text", text="二")
    await town.fault("missingField", target="webhook", times=1)
    await town.act(PARENT, "follow")
    raw = json.dumps({"destination": town.channel.bot_user_id, "events": bot.events}).encode()
    unknown, standby, follow = parse(raw, sign(SECRET, raw))
    assert (type(unknown).__name__, bot.events[0]["type"]) == ("UnknownEvent", "teleport")
    assert (standby.mode.value, standby.reply_token) == ("standby", None)
    assert type(follow).__name__ == "UnknownEvent"


async def test_a_dropped_event_never_arrives_but_the_state_changed(town, bot):
    await town.fault("drop", target="webhook", match={"event": "unfollow"})
    answer = await town.act(PARENT, "block")
    assert answer["webhook"]["reason"] == "dropped"
    assert town.channel.users.by_id[PARENT].state == "blocked"
    assert bot.events == []


async def test_events_of_several_people_can_share_one_webhook(town, bot):
    await town.fault({"type": "batch", "n": 2, "lingerMs": 200}, target="webhook", times=1)
    for user_id in (PARENT, GRANDMOTHER):
        await town.send("POST", f"users/{user_id}/actions", {"type": "text", "text": "はい"})
    await until(lambda: bot.bodies)
    assert [event["source"]["userId"] for event in bot.bodies[0]["events"]] == [PARENT, GRANDMOTHER]


async def test_a_person_without_consent_appears_without_an_id(town, bot):
    await town.send("PATCH", f"users/{PARENT}", {"state": "noConsent"})
    await town.act(PARENT, "text", text="はい")
    assert bot.events[0]["source"] == {"type": "user"}


async def test_header_names_can_come_in_another_case(town, bot):
    await town.config(webhook__headerCase="upper")
    assert (await town.act(PARENT, "text", text="はい"))["webhook"]["status"] == 200


async def test_a_burst_of_answers_arrives_completely(town, bot):
    await town.config(webhook__batch=20)
    await town.fault({"type": "burst", "n": 60, "rps": 2000}, target="webhook")
    await until(lambda: len(bot.events) == 60)
    assert {event["source"]["userId"] for event in bot.events} == {PARENT, GRANDMOTHER}


async def test_during_an_outage_webhooks_wait_and_then_come(town, bot):
    await town.fault({"type": "outage", "seconds": 300}, times=1)
    assert (await town.raw("GET", "/v2/bot/info"))[0] == 500
    await town.send("POST", f"users/{PARENT}/actions", {"type": "text", "text": "はい"})
    await town.advance(200)
    assert (await town.raw("GET", "/v2/bot/info"))[0] == 500
    assert bot.events == []
    await town.advance(100)
    await until(lambda: len(bot.events) == 1)
    assert (await town.raw("GET", "/v2/bot/info"))[0] == 200
