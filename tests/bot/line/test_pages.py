"""Every page in every language is a message that LINE takes, and says everything in words."""

import json
from dataclasses import replace
from datetime import date

import pytest

# The whole of it, before anybody takes its models alone (channels/line/models.py).
from linebot.v3.messaging import FlexMessage, TextMessage

from bot.language_names import LANGUAGE_NAMES
from bot.line import answer_cards, choices, greetings, leaving_pages, pages
from bot.line.bubbles import dialled
from bot.line.memory import ANSWERS_PER_MINUTE, REMEMBERED, ChatMemory
from bot.line.postbacks import DATA_LIMIT, data, read
from bot.line.words import WORDS, language_for
from content.register.subscribers import Preferences
from sandbox.line.flex_schema import BUBBLE_BYTES
from tests.bot.line.village import actions, words_of
from tests.factories import create_town

TODAY = date(2026, 4, 7)
LONG = "とても長い名前の地区" * 20


def large_town():
    """Sixty areas with long names, thirty topics, one of them closed."""
    areas = [{"key": f"area{n}", "names": {"ja": f"{n}{LONG}"}} for n in range(60)]
    topics = [
        {"key": f"topic{n}", "names": {"ja": f"{n}{LONG}"}, "closed": n == 3, "always": n == 0}
        for n in range(30)
    ]
    return create_town(areas=areas, categories=topics, segments=[], templates=[])


def every_page(town, language):
    nothing = choices.first_preferences(town, language)
    everything = Preferences(
        frozenset(town.category), frozenset(town.area), frozenset({"2025-11", "2019-01"}), language=language
    )
    for chosen in (nothing, everything):
        yield from greetings.greeting(town, chosen)
        yield from greetings.welcome_back(town, chosen)
        yield answer_cards.help_card(town, language)
        yield answer_cards.menu(town, language)
        yield answer_cards.emergency(town, language)
        yield answer_cards.contact(town, language)
        yield pages.language(town, chosen)
        yield pages.birth(town, chosen, TODAY)
        yield pages.ask_birth(chosen, "2026-04")
        yield leaving_pages.stopping(chosen, TODAY)
        yield leaving_pages.ask_stop(chosen)
        yield leaving_pages.ask_erase(chosen)
        yield leaving_pages.mine(chosen)
        yield from leaving_pages.ask_pause(chosen)
        yield from leaving_pages.paused(replace(chosen, paused_until=TODAY))
        yield from pages.changed(town, chosen, "area", town.areas[1].key)
        yield from pages.changed(town, chosen, "category", town.categories[1].key)
        for number in range(-1, 8):
            yield pages.categories(town, chosen, number)
            yield pages.areas(town, chosen, number)


@pytest.fixture(params=[*WORDS, "vi"])
def language(request):
    return request.param


@pytest.fixture(params=[create_town, large_town])
def some_town(request):
    return request.param()


async def test_line_takes_every_page(language, some_town, village):
    messages = list(every_page(some_town, language))
    for start in range(0, len(messages), 5):
        body = json.dumps({"messages": messages[start : start + 5]}).encode()
        answer = await village.api.post("/v2/bot/message/validate/reply", body)
        assert (answer.status, answer.body) == (200, b"{}")


def test_every_page_is_what_line_describes(language):
    from tests.channels.line_openapi import validate

    for message in every_page(create_town(), language):
        validate("Message", message)


def test_lines_own_models_keep_every_page_as_it_is(language):
    for message in every_page(create_town(), language):
        model = (FlexMessage if message["type"] == "flex" else TextMessage).from_dict(message)
        assert model.to_dict() == message


def test_no_bubble_is_larger_than_line_allows(some_town, language):
    for message in every_page(some_town, language):
        assert len(json.dumps(message, ensure_ascii=False).encode()) < BUBBLE_BYTES


def test_every_button_has_a_spoken_label_and_says_in_the_chat_what_was_pressed(some_town, language):
    for message in every_page(some_town, language):
        for action in actions(message):
            assert 0 < len(action["label"]) <= 40
            if action["type"] == "uri":
                assert action["uri"] in ("tel:0224000000", "tel:119", "tel:110")
                continue
            assert len(action["data"]) <= DATA_LIMIT
            assert read(action["data"]) is not None
            assert action["type"] == "datetimepicker" or action["displayText"]


def test_a_choice_shows_by_sign_and_word_not_by_colour_alone(language):
    town = create_town()
    speech = WORDS.get(language, WORDS["en"])
    chosen = replace(choices.first_preferences(town, language), areas=frozenset({"funaoka"}))
    shown = words_of(pages.areas(town, chosen))
    assert (shown.count("☑"), shown.count("☐")) == (1, 5)
    assert shown.count(f" {speech.chosen} ") == 1


def test_every_area_of_a_large_town_stands_on_one_page_and_a_tap_stays_there():
    town = large_town()
    chosen = choices.first_preferences(town, "ja")
    keys: list[str] = []
    for number in range(10):
        shown = [read(action["data"]) for action in actions(pages.areas(town, chosen, number))]
        keys += [command.values[1] for command in shown if command.verb == "area"]
    assert keys == [area.key for area in town.areas]
    assert pages.page_number(town.areas, "area37") == 6


def test_a_town_without_areas_goes_on_to_the_summary():
    town = create_town(areas=[], segments=[])
    chosen = choices.first_preferences(town, "ja")
    assert "次へ：登録内容の確認" in words_of(pages.categories(town, chosen))
    assert "地区" not in words_of(pages.summary(town, chosen))


def test_the_summary_is_read_out_in_the_notification():
    town = create_town()
    chosen = Preferences(frozenset({"saigai", "event"}), frozenset({"tsukinoki"}))
    assert (
        pages.summary(town, chosen)["altText"] == "登録内容：🚨 災害・避難 (必ず届きます)、🌸 イベント、槻木"
    )


def test_every_language_of_the_example_has_its_name_and_words():
    assert set(create_town().languages) <= set(WORDS)
    assert set(WORDS) <= set(LANGUAGE_NAMES)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("", "ja"),
        ("en-GB", "en"),
        ("zh-Hant", "zh-Hant"),
        ("pt", "en"),
        ("vi-VN", "vi"),
    ],
)
def test_the_first_language_is_the_phones_else_english(tag, expected):
    assert language_for(tag, ("ja", "en", "zh-Hant", "vi")) == expected


def test_a_town_without_english_writes_japanese():
    assert language_for("en", ("ja", "ja-easy")) == "ja"


@pytest.mark.parametrize(
    "text", ["", "v1", "v2|show|summary", "v1|area|on", "v1|area|on|a|b", "v1|" + "x" * 300]
)
def test_data_that_is_not_ours_is_no_command(text):
    assert read(text) is None


def test_data_and_command_are_two_sides_of_one_thing():
    command = read(data("area", "on", "funaoka"))
    assert (command.verb, command.values) == ("area", ("on", "funaoka"))


def test_the_memory_of_help_is_bounded():
    memory = ChatMemory()
    assert all(memory.shows_help(str(n).encode(), "first", 1) for n in range(REMEMBERED + 1))
    assert memory.shows_help(b"0", "second", 2)
    assert not memory.shows_help(str(REMEMBERED).encode(), "second", 2)


def test_a_machine_on_the_other_side_is_answered_twenty_times_a_minute_at_most():
    memory = ChatMemory()
    answered = [memory.may_answer(b"robot", str(number), 5) for number in range(ANSWERS_PER_MINUTE + 1)]
    assert answered.count(True) == ANSWERS_PER_MINUTE
    assert memory.may_answer(b"person", "first", 5)
    assert memory.may_answer(b"robot", "last", 60_005)


def test_an_event_whose_transaction_was_rolled_back_gets_the_same_answer_anew():
    memory = ChatMemory()
    assert memory.shows_help(b"sato", "first", 1)
    assert memory.shows_help(b"sato", "first", 2)
    assert not memory.shows_help(b"sato", "second", 3)


@pytest.mark.parametrize(
    ("phone", "expected"),
    [("0224-00-0000", "0224000000"), ("０２２４（００）００００", "0224000000"), ("総務課へ", "")],
)
def test_a_telephone_number_is_dialled_however_it_is_written(phone, expected):
    assert dialled(phone) == expected


def test_without_a_number_there_is_no_button_to_call():
    town = create_town(phone="内線のみ")
    shown = words_of([answer_cards.help_card(town, "ja"), answer_cards.contact(town, "ja")])
    assert "電話する" not in shown
    assert "役場に電話" not in words_of(answer_cards.menu(town, "ja"))
