"""A reply token works once, for a minute. LINE Messaging API reference, #send-reply-message-reply-token."""

import pytest

from tests.sandbox.line import line_sdk
from tests.sandbox.line.line_sdk import refusal
from tests.sandbox.line.line_town import EVENING, PARENT, text, until

INVALID = "Invalid reply token"


async def answerable(town, bot):
    """The reply token of a message that arrived on a Tuesday evening."""
    await town.send("PUT", "clock", {"now": EVENING, "frozen": True})
    await town.act(PARENT, "text", text="はい")
    return bot.events[0]["replyToken"]


async def test_a_second_reply_is_refused(line, town, bot):
    token = await answerable(town, bot)
    await line.reply_message(line_sdk.reply(token))
    assert (await refusal(line.reply_message(line_sdk.reply(token)))).message == INVALID
    assert town.words(PARENT) == ["はい", "避難してください"]


async def test_a_reply_after_60_seconds_passes_and_after_61_not(line, town, bot):
    token = await answerable(town, bot)
    await town.advance(60)
    assert town.channel.reply_tokens.find(token, town.sandbox.clock.now_ms()) is not None
    await town.advance(1)
    assert (await refusal(line.reply_message(line_sdk.reply(token)))).message == INVALID


async def test_a_refused_reply_leaves_the_token_usable(line, town, bot):
    token = await answerable(town, bot)
    assert (await refusal(line.reply_message(line_sdk.reply(token, text(""))))).status == 400
    await line.reply_message(line_sdk.reply(token))


@pytest.mark.parametrize(("minutes", "answered"), [(19, True), (20, False)])
async def test_a_redelivery_renews_the_token_until_20_minutes_after_the_event(
    line, town, bot, minutes, answered
):
    await town.config(webhook__intervals=[minutes * 60])
    await town.channel_is(webhook={"redelivery": True})
    bot.status = 500
    token = await answerable(town, bot)
    bot.status = 200
    await town.advance(minutes * 60)
    await until(lambda: len(bot.bodies) == 2)
    if answered:
        await line.reply_message(line_sdk.reply(token))
    else:
        assert (await refusal(line.reply_message(line_sdk.reply(token)))).message == INVALID


async def test_a_foreign_token_is_refused(line):
    assert (await refusal(line.reply_message(line_sdk.reply("0" * 32)))).message == INVALID
