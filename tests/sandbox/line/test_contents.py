"""What residents send besides words: pictures by the id of their message, and tokens to mark messages as read."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests import picture_files as files
from tests.sandbox.line.line_town import NEWCOMER, PARENT, TOKEN

CONTENT = "/v2/bot/message/{}/content"


async def fetch(town, path):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with town.session.get(town.origin + path, headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def test_a_picture_is_fetched_by_the_id_of_its_message(town, bot):
    picture = files.png((1200, 900))
    await town.act(PARENT, "image", content=base64.b64encode(picture).decode())
    number = bot.events[-1]["message"]["id"]
    assert await fetch(town, CONTENT.format(number)) == (200, "image/png", picture)
    status, kind, small = await fetch(town, CONTENT.format(number) + "/preview")
    assert (status, kind) == (200, "image/jpeg") and max(Image.open(io.BytesIO(small)).size) == 240
    assert (await town.raw("GET", CONTENT.format(number) + "/transcoding"))[1] == {"status": "succeeded"}


async def test_without_one_of_his_own_a_resident_sends_ours(town, bot):
    await town.act(PARENT, "image")
    status, kind, picture = await fetch(town, CONTENT.format(bot.events[-1]["message"]["id"]))
    assert (status, kind) == (200, "image/jpeg") and Image.open(io.BytesIO(picture)).size == (640, 480)


async def test_words_and_unknown_messages_have_no_content(town, bot):
    await town.act(PARENT, "text", text="こんにちは")
    for number in (bot.events[-1]["message"]["id"], "1"):
        for path in ("", "/preview", "/transcoding"):
            assert (await town.raw("GET", CONTENT.format(number) + path))[0] == 404


@pytest.mark.parametrize("content", ["", "!", "あ"])
async def test_what_is_no_picture_is_refused_by_the_phone(town, content):
    status, answer = await town.send("POST", f"users/{PARENT}/actions", {"type": "image", "content": content})
    assert status == 400 and "content must be" in answer["message"]


async def test_messages_are_marked_as_read_by_their_own_token_alone(town, bot):
    await town.act(NEWCOMER, "text", text="hello")
    token = bot.events[-1]["message"]["markAsReadToken"]
    path = "/v2/bot/chat/markAsRead"
    assert (await town.raw("POST", path, json={"markAsReadToken": token}))[0] == 200
    wrong_tokens: list[Any] = [{"markAsReadToken": "x"}, {}, {"chat": {"userId": PARENT}}]
    for body in wrong_tokens:
        assert (await town.raw("POST", path, json=body))[0] == 400
    by_id = "/v2/bot/message/markAsRead"
    assert (await town.raw("POST", by_id, json={"chat": {"userId": PARENT}}))[0] == 200
    wrong_chats: list[Any] = [
        {"chat": {"userId": "U" + "9" * 32}},
        {"chat": {}},
        {},
        {"markAsReadToken": token},
    ]
    for wrong in wrong_chats:
        assert (await town.raw("POST", by_id, json=wrong))[0] == 400
