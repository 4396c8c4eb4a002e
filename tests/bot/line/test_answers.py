"""Every message is answered: emergencies first, then what the town knows, then help; and nothing goes on for ever."""

import asyncio
from datetime import timedelta

import pytest

from bot.line.dots import dots
from bot.line.memory import ANSWERS_PER_MINUTE
from bot.line.typed import understand
from content.clock import now_ms, today_jst
from content.notices import notices, triggers
from content.notices.calendars import WordCalendar
from content.notices.faq import FaqEntry, FaqWords, asked
from content.notices.publicity import write_down
from content.notices.records import MODELS, add_record
from content.notices.segments import Target
from content.notices.shelters import Hazard, OpeningState, Shelter, set_opening
from tests.bot.line.village import ABE, MARIA, SATO, actions, event, words_of
from tests.factories import APRIL_TUESDAY, create_town, make_notice

SCHOOL = Shelter(
    key="s-school",
    names={"ja": "船岡小学校", "en": "Funaoka Elementary School"},
    address="柴田町船岡1-1",
    latitude=38.0556,
    longitude=140.7653,
    phone="0224-11-1111",
    area="funaoka",
    hazards=(Hazard.EARTHQUAKE, Hazard.LANDSLIDE),
    capacity=300,
)
HALL = Shelter(
    key="s-hall",
    names={"ja": "槻木生涯学習センター"},
    latitude=38.0812,
    longitude=140.8079,
    area="tsukinoki",
    hazards=(Hazard.FLOOD,),
)
PETS = FaqEntry(
    key="f-pets",
    texts={
        "ja": FaqWords(question="避難所にペットを連れて行けますか", answer="ケージに入れてお連れください。"),
        "en": FaqWords(question="Can I bring my pet?", answer="Yes, in a cage."),
    },
    keywords=("ペット", "犬", "pet"),
)


async def keep(village, *contents):
    async with village.service.database.write() as connection:
        for content in contents:
            kind = next(kind for kind, model in MODELS.items() if isinstance(content, model))
            await add_record(connection, kind, content, staff="kikaku", at=1)


async def say(village, user_id, text):
    return await village.act(user_id, "text", text=text)


def addresses(messages):
    return [action["uri"] for action in actions(messages) if action["type"] == "uri"]


async def test_whoever_cries_for_help_sees_the_numbers_first(village):
    await village.act(SATO, "follow")
    await say(village, SATO, "もしもし")
    for text in ("助けて", "助けて", "火事だ"):
        first, *_ = await say(village, SATO, text)
        assert addresses(first)[:2] == ["tel:119", "tel:110"]
        assert "119番" in first["altText"]


async def test_an_emergency_with_a_question_gets_both_answers(village):
    await keep(village, SCHOOL)
    await village.act(MARIA, "follow")
    first, second = await say(village, MARIA, "help, where is a shelter?")
    assert "tel:119" in addresses(first)
    assert "your area" in second["text"]


@pytest.mark.parametrize("text", ["", "?", "。。。", "あ", "xyzzy", "🐱", "x" * 10_000])
async def test_what_nobody_understands_is_answered_all_the_same(village, text):
    await village.act(SATO, "follow")
    await village.post(
        {
            **event("message", now_ms() + 10, message={"type": "text", "id": "1", "text": text}),
            "replyToken": "x",
        }
    )
    assert understand(text, create_town(), []) is None
    assert await village.handle() == 1


async def test_stickers_photos_and_unknown_kinds_are_answered_and_say_that_nobody_sees_them(village):
    await village.act(SATO, "follow")
    (card,) = await village.act(SATO, "sticker")
    assert "見ていません" in words_of(card)
    assert "119番" in words_of(card)
    (line,) = await village.act(SATO, "image")
    assert "見ていません" in line["text"]
    for kind in ("video", "audio", "file", "somethingNew"):
        fields = {"type": "message", "message": {"type": kind, "id": "9"}}
        (line,) = await village.act(SATO, "raw", event=fields, answerable=True)
        assert "見ていません" in line["text"]


async def test_a_place_leads_to_the_nearest_sites_and_says_that_they_need_not_be_open(village):
    await keep(village, SCHOOL, HALL)
    await village.act(SATO, "follow")
    note, sites = await village.act(SATO, "location", latitude=38.0812, longitude=140.8079)
    assert "開いているとは限りません" in note["text"]
    first, second = sites["contents"]["contents"]
    assert "槻木生涯学習センター" in words_of(first)
    assert "洪水" in words_of(first)
    assert "船岡小学校" in words_of(second)
    assert "約4.7km" in words_of(second)
    assert addresses(second) == [
        "https://www.google.com/maps/search/?api=1&query=38.055600,140.765300",
        "tel:0224111111",
    ]


@pytest.mark.parametrize(("latitude", "longitude"), [(0, 0), (35.68, 139.77), (-33.9, 151.2)])
async def test_a_place_outside_the_town_is_said_to_be_elsewhere(village, latitude, longitude):
    await keep(village, SCHOOL)
    await village.act(SATO, "follow")
    (text,) = await village.act(SATO, "location", latitude=latitude, longitude=longitude)
    assert "近くに、柴田町の避難場所はありません" in text["text"]


async def test_a_district_leads_to_its_sites_in_her_language_with_what_staff_have_set(village):
    await keep(village, SCHOOL, HALL)
    async with village.service.database.write() as connection:
        await set_opening(connection, "s-school", OpeningState.OPEN, staff="bosai", at=now_ms())
    await village.act(MARIA, "follow")
    await say(village, MARIA, "shelter")
    _, sites = await village.tap(MARIA, "Funaoka")
    assert "Funaoka Elementary School Open (" in words_of(sites).replace("Evacuation sites: ", "")
    (text,) = await village.act(MARIA, "postback", data="v1|ask|shelters|nishizumi")
    assert "No evacuation site is listed for “Nishizumi”" in text["text"]


async def test_without_a_list_the_office_is_named(village):
    await village.act(SATO, "follow")
    for text in ("避難所", "休日当番医"):
        (answer,) = await say(village, SATO, text)
        assert "まだ登録されていません" in words_of(answer)
        assert "0224-00-0000" in words_of(answer)


async def test_the_doctor_of_today_and_the_next_stand_in_one_card(village):
    today = today_jst()
    days = {
        (today + timedelta(days=number)).isoformat(): {
            "病院": f"第{number}医院",
            "電話": f"0224-00-000{number}",
        }
        for number in (0, 3, 10)
    }
    await keep(village, WordCalendar(key="c-1", name="休日当番医", columns=("病院", "電話"), days=days))
    await village.act(SATO, "follow")
    (card,) = await say(village, SATO, "当番医")
    assert "第0医院" in words_of(card)
    assert "第3医院" in words_of(card)
    assert "第10医院" not in words_of(card)
    assert addresses(card) == ["tel:0224000000", "tel:0224000003"]


async def test_a_list_of_doctors_that_has_run_out_says_so(village):
    gone = (today_jst() - timedelta(days=1)).isoformat()
    await keep(
        village,
        WordCalendar(key="c-1", name="休日当番医", columns=("病院",), days={gone: {"病院": "船岡医院"}}),
    )
    await village.act(SATO, "follow")
    (card,) = await say(village, SATO, "当番医")
    assert "で終わっています" in words_of(card)
    assert "船岡医院" not in words_of(card)


async def test_a_question_of_the_staff_is_found_by_its_keyword_and_counted(village):
    await keep(village, PETS, SCHOOL)
    await village.act(SATO, "follow")
    for text in ("避難所に犬は？", "ペット"):
        (card,) = await say(village, SATO, text)
        assert "ケージに入れて" in words_of(card)
    await village.act(MARIA, "follow")
    (listed,) = await say(village, MARIA, "FAQ")
    assert "Can I bring my pet?" in words_of(listed)
    (card,) = await village.tap(MARIA, "Can I bring my pet?")
    assert "Yes, in a cage." in words_of(card)
    async with village.service.database.read() as connection:
        assert await asked(connection) == {"f-pets": 3}


async def test_the_latest_notices_are_public_ones_in_her_language(village):
    texts = {"ja": ("お花見", "さくら"), "en": ("Cherry blossoms", "See them")}
    await make_fired(village, texts=texts)
    await make_fired(village, texts={"ja": ("区長会", "秘密")}, target=Target("group", "kucho"))
    await make_fired(village, texts={"ja": ("訓練です", "訓練")}, mode="drill")
    await village.act(MARIA, "follow")
    (card,) = await say(village, MARIA, "latest news")
    assert "Cherry blossoms" in words_of(card)
    for hidden in ("区長会", "訓練です"):
        assert hidden not in words_of(card)
    (address,) = addresses(card)
    assert address.endswith("#en")


async def test_a_topic_shows_its_notices_and_the_switch_for_it(village):
    await make_fired(village, category="gomi", texts={"ja": ("粗大ごみの受付", "電話で")})
    await village.act(ABE, "follow")
    (card,) = await say(village, ABE, "ごみ")
    assert "粗大ごみの受付" in words_of(card)
    await village.tap(ABE, "ごみ・環境を選ぶ")
    assert "gomi" in (await village.preferences(ABE)).categories


async def test_a_friend_is_told_by_link(village):
    await village.act(SATO, "follow")
    (text,) = await say(village, SATO, "友だちに教える")
    assert "https://line.me/R/ti/p/" in text["text"]


async def test_our_own_words_and_a_flood_come_to_an_end(village):
    await village.act(SATO, "follow")
    await say(village, SATO, "もしもし")
    (line,) = await say(village, SATO, "もしもし")
    assert await say(village, SATO, line["text"]) == []
    answers = [await say(village, SATO, f"{number}つ目") for number in range(ANSWERS_PER_MINUTE + 3)]
    assert answers[-1] == []


async def test_a_copy_of_an_event_is_not_answered_again(village):
    await village.act(SATO, "follow")
    copied = event("message", now_ms() + 5, message={"type": "text", "id": "1", "text": "もしもし"})
    await village.post({**copied, "replyToken": "x" * 32})
    assert await village.handle() == 1
    again = {**copied, "replyToken": "x" * 32, "deliveryContext": {"isRedelivery": True}}
    await village.post(again)
    assert await village.handle() == 0


async def test_whoever_waits_longer_sees_that_an_answer_is_being_written(village):
    await village.act(SATO, "follow")
    with village.platform.feed.subscription(SATO) as seen:
        async with dots(village.api, [SATO], patience=0.0):
            name, shown = await asyncio.wait_for(seen.get(), 30)
    assert (name, shown) == ("typing", {"seconds": 20})


async def test_a_quick_answer_shows_no_dots(village):
    with village.platform.feed.subscription(SATO) as seen:
        async with dots(village.api, [SATO], patience=60.0):
            pass
    assert seen.empty()


async def make_fired(village, **changes):
    async with village.service.database.write() as connection:
        notice_id = await make_notice(connection, **changes)
        assert await triggers.fire(connection, notice_id, APRIL_TUESDAY)
        found = await notices.get(connection, notice_id)
        await write_down(connection, village.service.town, found)
