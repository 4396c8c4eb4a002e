"""「読みました」 on a card: one tap is written down and answered in her language; a tap on something else is not."""

from __future__ import annotations

from bot.line.postbacks import Command, read
from channels.line.messages import build_messages
from content.ledger.tallies import tally
from content.notices import notices
from content.notices.segments import Target
from tests.bot.line.village import MARIA, SATO, STRANGER, actions, words_of
from tests.channels.announcements import LONG_BODY, notice, with_japanese
from tests.factories import make_delivery, make_notice

TEXTS = {"ja": ("捜索のお願い", "町内で人を探しています。"), "en": ("Search request", "A person is missing.")}


async def sent_to_a_group(village, *readers):
    async with village.service.database.write() as connection:
        notice_id = await make_notice(connection, target=Target("group", "kucho"), texts=TEXTS)
        ids = sorted([(await village.registration(user_id)).id for user_id in readers])
        await make_delivery(connection, [ids], notice_id=notice_id)
        return await notices.get(connection, notice_id)


async def read_of(village, notice_id):
    async with village.service.database.read() as connection:
        return sum(row.read for row in await tally(connection, notice_id))


async def test_one_tap_says_that_a_notice_was_read(village):
    for user_id in (SATO, MARIA):
        await village.act(user_id, "follow")
    found = await sent_to_a_group(village, SATO, MARIA)
    button = {"type": "postback", "label": "読みました", "data": f"v1|read|{found.public_id}"}
    (answer,) = await village.act(SATO, "tapButton", action=button)
    assert answer["text"] == "「捜索のお願い」を読んだことを、町に伝えました。"
    await village.act(SATO, "tapButton", action=button)
    (own,) = await village.act(SATO, "postback", data="v1|stop|export")
    assert own["text"].count("捜索のお願い") == 1
    (answer,) = await village.act(MARIA, "tapButton", action=button)
    assert "Search request" in answer["text"] and await read_of(village, found.id) == 2
    (answer,) = await village.act(MARIA, "tapButton", action={**button, "data": "v1|read|nothing"})
    assert answer["text"] == "This notice needs no answer."


async def test_whoever_was_not_sent_it_is_not_registered_by_the_tap(village):
    await village.act(SATO, "follow")
    found = await sent_to_a_group(village, SATO)
    village.platform.channel.users.add(STRANGER, "だれか", "ja", "none", 0)
    await village.act(
        STRANGER, "tapButton", action={"type": "postback", "label": "x", "data": f"v1|read|{found.public_id}"}
    )
    assert await village.registration(STRANGER) is None and await read_of(village, found.id) == 0


def test_the_button_of_a_card_is_one_that_the_chat_understands():
    for asked in (
        notice(asks_read=True, public_id="abc"),
        with_japanese(body=LONG_BODY[:3000], asks_read=True),
    ):
        sent = build_messages(asked, "ja")
        buttons = [action for message in sent for action in actions(message) if action["type"] == "postback"]
        assert [read(button["data"]) for button in buttons] == [Command("read", (asked.public_id,))]
        assert "読みました" in words_of(sent[-1])
    assert not [action for action in actions(build_messages(notice(), "ja")) if action["type"] == "postback"]
