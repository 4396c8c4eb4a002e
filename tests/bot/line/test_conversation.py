"""What residents read and press, from the first greeting to coming back."""

import time_machine

from content.clock import MINUTE, now_ms
from tests.bot.line.village import ABE, MARIA, SATO, STRANGER, follow, words_of


async def test_the_greeting_says_who_writes_what_comes_and_whom_to_call(village):
    text, start = await village.act(SATO, "follow")
    for expected in ("柴田町", "「災害・避難」", "お答えできません", "0224-00-0000", "119", "110"):
        assert expected in text["text"]
    assert "お知らせの設定をはじめる" in words_of(start)
    assert "ことば / Language" in words_of(start)
    assert (await village.preferences(SATO)).categories == {"saigai"}


async def test_the_greeting_is_in_the_language_of_the_phone(village):
    text, start = await village.act(MARIA, "follow")
    assert text["text"].startswith("Thank you for adding us.")
    assert "Disaster & evacuation" in text["text"]
    assert "Start settings" in words_of(start)
    assert (await village.preferences(MARIA)).language == "en"


async def test_another_language_gets_english_and_an_untold_one_japanese_with_the_way_to_english(village):
    village.platform.channel.users.by_id[ABE].language = "vi"
    await village.act(ABE, "follow")
    assert (await village.preferences(ABE)).language == "en"
    village.platform.channel.users.by_id[SATO].language = ""
    text, _ = await village.act(SATO, "follow")
    assert (await village.preferences(SATO)).language == "ja"
    assert "For English" in text["text"]


async def test_line_being_down_does_not_keep_anybody_from_registering(village):
    village.platform.outage_until_ms = village.platform.clock.now_ms() + 60_000
    await village.post({**follow(5, STRANGER), "replyToken": "x" * 32})
    await village.handle()
    assert (await village.registration(STRANGER)).state == "active"


async def test_everything_is_chosen_by_buttons(village):
    await village.act(ABE, "follow")
    (topics,) = await village.tap(ABE, "お知らせの設定をはじめる")
    assert "「🚨 災害・避難」は、選ばなくても届きます" in words_of(topics)
    (line,) = await village.tap(ABE, "防犯・交通安全")
    assert line["text"] == "防犯・交通安全：選びました"
    (topics,) = await village.tap(ABE, "一覧を見る")
    assert "☑ 🛡️ 防犯・交通安全 選択中" in words_of(topics)
    await village.tap(ABE, "子育て")
    (areas,) = await village.tap(ABE, "次へ：地区")
    assert "☐ 船岡" in words_of(areas)
    await village.tap(ABE, "船岡を選ぶ")
    (birth,) = await village.tap(ABE, "次へ：お子さんの生まれ月")
    assert "登録なし" in words_of(birth)
    picker = next(action for action in village.buttons(ABE) if action["type"] == "datetimepicker")
    assert picker["initial"] < picker["max"]
    (asked,) = await village.act(ABE, "tapButton", action=picker, params={"date": picker["max"]})
    assert "登録しますか" in words_of(asked)
    assert (await village.preferences(ABE)).birth_months == frozenset()
    (birth,) = await village.tap(ABE, "登録する")
    (summary,) = await village.tap(ABE, "次へ：登録内容")
    for expected in ("登録内容", "災害・避難", "防犯・交通安全", "子育て", "船岡", "日本語"):
        assert expected in words_of(summary)
    chosen = await village.preferences(ABE)
    assert chosen.categories == {"saigai", "bohan", "kosodate"}
    assert chosen.areas == {"funaoka"}
    assert chosen.birth_months == {picker["max"][:7]}


async def test_each_tap_counts_at_once_and_can_be_taken_back_later(village):
    await village.act(SATO, "follow")
    await village.tap(SATO, "お知らせの設定")
    await village.tap(SATO, "ごみ・環境を選ぶ")
    assert (await village.preferences(SATO)).categories == {"saigai", "gomi"}
    await village.act(SATO, "text", text="登録内容")
    await village.tap(SATO, "変更する")
    await village.tap(SATO, "ごみ・環境を外す")
    assert (await village.preferences(SATO)).categories == {"saigai"}
    assert await village.history(SATO) == ["joined", "changed", "changed"]


async def test_a_double_tap_harms_nothing(village):
    await village.act(SATO, "follow")
    await village.tap(SATO, "お知らせの設定")
    button = next(action for action in village.buttons(SATO) if "防犯" in action["label"])
    for _ in range(2):
        await village.act(SATO, "tapButton", action=button)
    assert (await village.preferences(SATO)).categories == {"saigai", "bohan"}
    assert await village.history(SATO) == ["joined", "changed"]


async def test_birth_months_are_asked_only_of_those_with_children_and_can_be_deleted(village):
    await village.act(ABE, "follow")
    await village.tap(ABE, "お知らせの設定")
    (areas,) = await village.tap(ABE, "次へ：地区")
    assert "生まれ月" not in words_of(areas)
    await village.act(ABE, "postback", data="v1|category|on|kosodate")
    await village.act(ABE, "datetime", data="v1|birth|add", params={"date": "2024-02-29"})
    (page,) = await village.act(ABE, "datetime", data="v1|birth|add", params={"date": "2025-11-03"})
    assert "2024年2月、2025年11月" in words_of(page)
    for nonsense in ("1925-01-01", "2999-01-01", "tomorrow", ""):
        await village.act(ABE, "datetime", data="v1|birth|add", params={"date": nonsense})
    assert (await village.preferences(ABE)).birth_months == {"2024-02", "2025-11"}
    await village.tap(ABE, "生まれ月をすべて消す")
    assert (await village.preferences(ABE)).birth_months == frozenset()


async def test_a_town_that_aims_nothing_by_birth_month_never_asks_for_it(make_village, sqlite_database):
    village = await make_village(sqlite_database, segments=[])
    await village.act(ABE, "follow")
    await village.act(ABE, "postback", data="v1|category|on|kosodate")
    (page,) = await village.act(ABE, "postback", data="v1|show|areas")
    assert "次へ：登録内容の確認" in words_of(page)


async def test_blocking_ends_the_registration_and_coming_back_finds_the_settings(village):
    await village.act(SATO, "follow")
    await village.tap(SATO, "お知らせの設定")
    await village.tap(SATO, "健康・福祉")
    await village.act(SATO, "block")
    assert (await village.registration(SATO)).state == "left"
    text, summary = await village.act(SATO, "unblock")
    assert "おかえりなさい" in text["text"]
    assert "健康・福祉" in words_of(summary)
    assert (await village.registration(SATO)).state == "active"
    assert await village.history(SATO) == ["joined", "changed", "left", "joined"]


async def test_the_language_is_chosen_by_buttons_and_kept(village):
    await village.act(SATO, "follow")
    (page,) = await village.tap(SATO, "ことば")
    assert [action["label"] for action in list(village.buttons(SATO))[:3]] == [
        "日本語",
        "やさしい日本語",
        "English",
    ]
    assert "Please choose" in words_of(page)
    about, summary = await village.tap(SATO, "English")
    assert "We cannot answer questions" in about["text"]
    assert "Your choices" in words_of(summary)
    await village.act(SATO, "block")
    text, _ = await village.act(SATO, "unblock")
    assert text["text"].startswith("Welcome back")
    await village.act(SATO, "postback", data="v1|language|ja-easy")
    (page,) = await village.act(SATO, "text", text="設定")
    assert "災害(さいがい)・にげる" in words_of(page)


async def test_the_pages_open_by_typed_words_in_any_width(village):
    await village.act(SATO, "follow")
    for typed, title in (
        ("受信設定", "お知らせの設定：お知らせの種類"),
        (" 設定。", "お知らせの設定：お知らせの種類"),
        ("ＳＥＴＴＩＮＧＳ", "お知らせの設定：お知らせの種類"),
        ("登録内容", "登録内容"),
        ("Language", "ことば / Language"),
    ):
        (page,) = await village.act(SATO, "text", text=typed)
        assert title in words_of(page)


async def test_other_words_get_the_help_card_once_and_then_a_short_line(village):
    with time_machine.travel(now_ms() / 1000, tick=False) as clock:
        await village.act(SATO, "follow")
        (help_page,) = await village.act(SATO, "text", text="もしもし")
        assert help_page["type"] == "flex"
        assert "119番" in words_of(help_page)
        clock.shift(10 * MINUTE / 1000 - 1)
        (line,) = await village.act(SATO, "text", text="もしもし")
        assert line["type"] == "text"
        assert line["quickReply"]["items"]
        clock.shift(1)
        (help_page,) = await village.act(SATO, "text", text="もしもし")
        assert help_page["type"] == "flex"


async def test_what_is_understood_ends_the_row_of_short_lines(village):
    await village.act(SATO, "follow")
    assert (await village.act(SATO, "text", text="もしもし"))[0]["type"] == "flex"
    assert (await village.act(SATO, "text", text="もしもし"))[0]["type"] == "text"
    await village.act(SATO, "text", text="設定")
    assert (await village.act(SATO, "text", text="もしもし"))[0]["type"] == "flex"


async def test_writing_registers_nobody_but_a_tap_does_when_the_follow_got_lost(village):
    village.platform.channel.users.by_id[MARIA].state = "friend"
    (page,) = await village.act(MARIA, "text", text="settings")
    assert await village.registration(MARIA) is None
    assert "Crime prevention" in words_of(page)
    await village.tap(MARIA, "Events")
    chosen = await village.preferences(MARIA)
    assert (chosen.categories, chosen.language) == ({"saigai", "event"}, "en")


async def test_old_and_unknown_buttons_lead_to_the_settings(village):
    await village.act(SATO, "follow")
    for data in (
        "v0|category|bohan",
        "v1|dance|now",
        "nonsense",
        "v1",
        "v1|category|on|gone",
        "v1|area|off|",
    ):
        note, page = await village.act(SATO, "postback", data=data)
        assert "もう一度選んでください" in note["text"]
        assert "お知らせの設定：お知らせの種類" in words_of(page)
    assert (await village.preferences(SATO)).categories == {"saigai"}
    assert await village.history(SATO) == ["joined"]


async def test_what_always_comes_cannot_be_dropped_and_closed_topics_are_not_offered(
    make_village, sqlite_database
):
    from tests.factories import create_town

    topics = [item.model_dump() for item in create_town().categories]
    topics[1]["closed"] = True
    village = await make_village(sqlite_database, categories=topics)
    await village.act(SATO, "follow")
    (page,) = await village.act(SATO, "postback", data="v1|category|off|saigai")
    assert "防犯" not in words_of(page)
    await village.act(SATO, "postback", data="v1|category|on|bohan")
    assert (await village.preferences(SATO)).categories == {"saigai"}


async def test_a_button_of_a_district_that_was_split_means_its_parts(make_village, sqlite_database):
    from tests.factories import create_town

    split = {"split_into": ["north", "south"], "changed_on": "2026-01-01"}
    areas = [
        item | (split if item["key"] == "funaoka" else {}) for item in create_town().model_dump()["areas"]
    ]
    areas += [{"key": key, "names": {"ja": name}} for key, name in (("north", "船岡北"), ("south", "船岡南"))]
    village = await make_village(sqlite_database, areas=areas, segments=[])
    await village.act(SATO, "follow")
    (page,) = await village.act(SATO, "postback", data="v1|area|on|funaoka")
    assert (await village.preferences(SATO)).areas == {"north", "south"}
    said = words_of(page)
    assert "お知らせの設定：" in said
    await village.act(SATO, "postback", data="v1|area|off|funaoka")
    assert (await village.preferences(SATO)).areas == {"north", "south"}


async def test_in_standby_acts_count_and_no_word_is_said(village):
    from tests.bot.line.village import tapped

    await village.act(SATO, "follow")
    said = len(village.chat(SATO))
    later = {"mode": "standby", "replyToken": "x" * 32}
    await village.post({**tapped(now_ms() + 5000, "v1|category|on|bohan"), **later})
    await village.handle()
    assert (await village.preferences(SATO)).categories == {"saigai", "bohan"}
    assert len(village.chat(SATO)) == said
