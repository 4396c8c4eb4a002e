"""Groups and rooms: who speaks there is answered there, and nobody finds it in a chat of her own."""

from __future__ import annotations

import pytest

from tests.sandbox.line import line_sdk
from tests.sandbox.line.line_sdk import refusal
from tests.sandbox.line.line_town import GRANDMOTHER, NEWCOMER, PARENT, text, until


async def group(town, kind="group", members=(PARENT, GRANDMOTHER)):
    status, made = await town.send(
        "POST", "chats", {"kind": kind, "name": "船岡 3区", "members": list(members)}
    )
    assert status == 201, made
    return made["chatId"]


async def act(town, chat_id, kind, **fields):
    return await town.send("POST", f"chats/{chat_id}/actions?wait=1", {"type": kind, **fields})


@pytest.mark.parametrize("kind", ["group", "room"])
async def test_the_bot_is_invited_answers_in_the_chat_and_leaves(town, bot, line, kind):
    chat_id = await group(town, kind)
    await until(lambda: bot.events, "the join event")
    assert bot.events[-1]["type"] == "join" and bot.events[-1]["source"] == {
        "type": kind,
        f"{kind}Id": chat_id,
    }
    await act(town, chat_id, "text", userId=PARENT, text="避難所はどこですか")
    event = bot.events[-1]
    assert event["source"] == {"type": kind, f"{kind}Id": chat_id, "userId": PARENT}
    body = {"replyToken": event["replyToken"], "messages": [text("船岡小学校です")]}
    assert (await town.raw("POST", "/v2/bot/message/reply", json=body))[0] == 200
    await line.push_message(line_sdk.push(chat_id))
    (chat,) = (await town.get("chats"))["chats"]
    assert [entry["from"] for entry in chat["history"]] == [PARENT, "bot", "bot"]
    assert town.chat(PARENT) == town.chat(GRANDMOTHER) == []
    assert (await town.raw("POST", f"/v2/bot/{kind}/{chat_id}/leave"))[0] == 200
    assert (await refusal(line.push_message(line_sdk.push(chat_id)))).status == 400
    assert (await act(town, chat_id, "text", userId=PARENT, text="もしもし"))[0] == 409


async def test_a_group_tells_its_name_its_number_and_its_members(town, bot, line):
    chat_id = await group(town)
    assert (await line.get_group_summary(chat_id)).group_name == "船岡 3区"
    assert (await line.get_group_member_count(chat_id)).count == 2
    assert (await line.get_group_members_ids(chat_id)).member_ids == [PARENT, GRANDMOTHER]
    assert (await line.get_group_member_profile(chat_id, PARENT)).display_name == "佐藤 美咲"
    assert (await refusal(line.get_group_member_profile(chat_id, NEWCOMER))).status == 404
    assert (await refusal(line.get_group_summary("C" + "0" * 32))).status == 404
    assert (await refusal(line.get_group_summary("nothing"))).status == 400
    assert (await refusal(line.get_room_member_count(chat_id))).status in (400, 404)
    await town.channel_is(accountType="unverified")
    assert (await refusal(line.get_group_members_ids(chat_id))).status == 403


async def test_members_come_and_go_and_the_bot_hears_of_it(town, bot):
    chat_id = await group(town)
    await act(town, chat_id, "join", userId=NEWCOMER)
    assert bot.events[-1]["type"] == "memberJoined"
    assert bot.events[-1]["joined"] == {"members": [{"type": "user", "userId": NEWCOMER}]}
    await act(town, chat_id, "leave", userId=PARENT)
    assert bot.events[-1]["type"] == "memberLeft" and "replyToken" not in bot.events[-1]
    assert (await town.get("chats"))["chats"][0]["members"] == [GRANDMOTHER, NEWCOMER]
    assert (await act(town, chat_id, "text", userId=PARENT, text="?"))[0] == 409
    await act(town, chat_id, "removeBot")
    assert bot.events[-1]["type"] == "leave"


async def test_a_raw_event_of_a_group_is_answered_in_the_group(town, bot):
    source = {"type": "group", "groupId": "C" + "a" * 32, "userId": PARENT}
    event = {"type": "message", "source": source, "message": {"type": "text", "id": "1", "text": "?"}}
    await town.act(PARENT, "raw", event=event, answerable=True)
    body = {"replyToken": bot.events[-1]["replyToken"], "messages": [text()]}
    assert (await town.raw("POST", "/v2/bot/message/reply", json=body))[0] == 200
    assert town.chat(PARENT) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"kind": "club", "members": []}, "kind"),
        ({"members": ["U" + "9" * 32]}, "members"),
        ({"members": "all"}, "members"),
    ],
)
async def test_a_chat_that_cannot_be_is_refused(town, body, told):
    status, answer = await town.send("POST", "chats", body)
    assert status == 400 and told in answer["message"]


async def test_what_cannot_happen_in_a_chat_is_refused(town, bot):
    chat_id = await group(town)
    assert (await act(town, chat_id, "dance", userId=PARENT))[0] == 400
    assert (await act(town, chat_id, "text", userId=PARENT, text=""))[0] == 400
    assert (await act(town, chat_id, "join", userId="U" + "9" * 32))[0] == 400
    assert (await act(town, "C" + "0" * 32, "text", userId=PARENT, text="?"))[0] == 404
