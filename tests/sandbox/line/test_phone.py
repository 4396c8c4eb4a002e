"""What a phone page gets from the control API."""

import json

import pytest

from tests.sandbox.line import line_sdk
from tests.sandbox.line.line_town import GRANDMOTHER, NEWCOMER, PARENT, text


async def next_event(stream):
    """One server-sent event as name and data."""
    name, data = "", None
    async for raw in stream.content:
        line = raw.decode().strip()
        if line.startswith("event:"):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            data = json.loads(line.removeprefix("data: "))
        elif not line and name:
            return name, data
    raise AssertionError("the stream ended")


async def test_a_phone_shows_the_chat_the_bot_and_what_is_unread(line, town, bot):
    await town.act(PARENT, "text", text="こんにちは")
    await line.push_message(line_sdk.push(PARENT, text("一"), text("二")))
    state = await town.get(f"phone/{PARENT}/state.json")
    assert state["user"] == {
        "userId": PARENT,
        "displayName": "佐藤 美咲",
        "language": "ja",
        "state": "friend",
        "muted": False,
        "linkedRichMenuId": None,
    }
    assert state["bot"] == {
        "displayName": "柴田町",
        "basicId": "@sandbox",
        "userId": town.channel.bot_user_id,
    }
    assert (state["richMenu"], state["unread"]) == (None, 2)
    mine, first, _ = state["messages"]
    assert (mine["from"], mine["deliveryKind"], mine["requestId"]) == ("user", None, None)
    assert mine["object"] == text("こんにちは")
    assert (first["from"], first["deliveryKind"], first["silent"]) == ("bot", "push", False)
    assert first["requestId"] and first["id"] and first["at"] > 0
    assert set(mine) == set(first)


async def test_a_phone_hears_messages_its_owner_menus_and_the_dots(line, town):
    async with town.session.get(f"{town.origin}/_sandbox/phone/{PARENT}/events") as stream:
        await stream.content.readuntil(b"\n\n")
        await line.push_message(line_sdk.push(GRANDMOTHER))
        await line.push_message(line_sdk.push(PARENT, text("ごみの日です")))
        name, entry = await next_event(stream)
        assert (name, entry["object"], entry["deliveryKind"]) == ("message", text("ごみの日です"), "push")
        await town.send("PATCH", f"users/{PARENT}", {"muted": True})
        name, user = await next_event(stream)
        assert (name, user["muted"]) == ("user", True)
        await town.raw("POST", "/v2/bot/chat/loading/start", json={"chatId": PARENT, "loadingSeconds": 5})
        assert await next_event(stream) == ("typing", {"seconds": 5})
        await line.cancel_default_rich_menu()
        assert await next_event(stream) == ("richMenu", None)


async def test_watchers_see_requests_deliveries_and_webhooks(line, town, bot):
    async with town.session.get(f"{town.origin}/_sandbox/events") as stream:
        await stream.content.readuntil(b"\n\n")
        await line.push_message(line_sdk.push(PARENT))
        await town.act(PARENT, "text", text="はい")
        assert [(await next_event(stream))[0] for _ in range(3)] == ["delivery", "request", "webhook"]


async def test_residents_are_listed_and_found_by_name(town):
    answer = await town.get("users?q=和子")
    assert (answer["total"], len(answer["users"])) == (1, 1)
    assert answer["users"][0] == {
        "userId": GRANDMOTHER,
        "displayName": "鈴木 和子",
        "language": "ja",
        "state": "friend",
        "unread": 0,
    }
    first = await town.get("users?limit=2")
    assert (first["total"], len(first["users"])) == (3, 2)


async def test_a_resident_with_a_chosen_id_can_be_added_and_changed(town):
    user_id = "U" + "a" * 32
    body = {"userIds": [user_id], "displayNames": ["阿部 茂"], "language": "ja", "state": "none"}
    assert (await town.send("POST", "users", body))[1]["userIds"] == [user_id]
    assert (await town.send("PATCH", f"users/{user_id}", {"state": "blocked"}))[1]["state"] == "blocked"
    assert (await town.send("POST", "users", {"userIds": ["somebody"]}))[0] == 400
    assert (await town.send("PATCH", f"users/{user_id}", {"state": "asleep"}))[0] == 400


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"type": "uri", "uri": "https://shibata.example/"}, {"openUri": "https://shibata.example/"}),
        ({"type": "clipboard", "clipboardText": "119"}, {"clipboard": "119"}),
    ],
)
async def test_some_taps_stay_on_the_phone(town, bot, action, expected):
    answer = await town.act(PARENT, "tapButton", action=action)
    assert answer == {"ok": True, "event": None, **expected}
    assert bot.events == []


async def test_a_quick_reply_of_a_message_says_it_and_a_postback_shows_its_display_text(town, bot):
    await town.act(PARENT, "tapQuickReply", action={"type": "message", "label": "無事", "text": "無事です"})
    action = {"type": "postback", "label": "見た", "data": "v1|ack|7", "displayText": "見ました"}
    await town.act(PARENT, "tapButton", action=action)
    assert town.words(PARENT) == ["無事です", "見ました"]
    assert bot.events[0]["message"]["text"] == "無事です"
    assert bot.events[1]["postback"] == {"data": "v1|ack|7"}


async def test_a_date_picker_sends_its_choice(town, bot):
    action = {"type": "datetimepicker", "label": "日", "data": "v1|day", "mode": "date"}
    await town.act(PARENT, "tapButton", action=action, params={"date": "2026-05-01"})
    assert bot.events[0]["postback"] == {"data": "v1|day", "params": {"date": "2026-05-01"}}


async def test_opening_the_chat_marks_everything_read(line, town):
    await line.push_message(line_sdk.push(PARENT))
    await town.act(PARENT, "openChat")
    assert (await town.get(f"phone/{PARENT}/state.json"))["unread"] == 0


async def test_who_blocked_can_only_unblock(town, bot):
    await town.act(PARENT, "block")
    for kind in ("text", "follow", "block", "openChat"):
        status, answer = await town.send("POST", f"users/{PARENT}/actions", {"type": kind, "text": "はい"})
        assert (status, "unblock" in answer["message"]) == (409, True)
    await town.act(PARENT, "unblock")
    await town.act(PARENT, "deleteAccount")
    assert (await town.send("POST", f"users/{PARENT}/actions", {"type": "unblock"}))[0] == 409


async def test_joining_sends_a_follow_with_a_reply_token(town, bot):
    answer = await town.act(NEWCOMER, "follow")
    assert answer["event"]["follow"] == {"isUnblocked": False}
    assert answer["webhook"]["status"] == 200
    assert town.channel.reply_tokens.find(answer["event"]["replyToken"], town.sandbox.clock.now_ms())


async def test_unknown_people_and_actions_are_refused(town):
    assert (await town.send("POST", f"users/U{'9' * 32}/actions", {"type": "text"}))[0] == 404
    assert (await town.send("POST", f"users/{PARENT}/actions", {"type": "dance"}))[0] == 400
    assert (await town.send("POST", f"users/{PARENT}/actions", {"type": "text", "text": ""}))[0] == 400


async def test_a_chat_keeps_its_newest_200_messages(line, town):
    for number in range(41):
        await line.push_message(line_sdk.push(PARENT, *[text(f"{number}-{i}") for i in range(5)]))
    words = town.words(PARENT)
    assert (len(words), words[0], words[-1]) == (200, "1-0", "40-4")


async def test_the_root_leads_to_the_phones(town):
    async with town.session.get(town.origin + "/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (302, "/_sandbox/phones")
