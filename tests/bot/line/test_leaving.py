"""Whoever wants less is offered the four ways, sees and erases her own data, and is never brought back by accident."""

from datetime import timedelta

from content.clock import now_ms, today_jst
from content.register.subscribers import UNTIL_CHANGED
from tests.bot.line.village import ABE, MARIA, SATO, tapped, words_of


async def test_whoever_wants_to_stop_is_offered_less_first(village):
    await village.act(SATO, "follow")
    (card,) = await village.act(SATO, "text", text="やめたい")
    shown = words_of(card)
    offered = [
        "種類を減らす",
        "命に関わるものだけ",
        "しばらく休む",
        "すべて止める",
        "登録している内容",
        "ブロック",
    ]
    places = [shown.index(word) for word in offered]
    assert places == sorted(places)


async def test_only_life_critical_notices_keep_the_choices_for_later(village):
    await village.act(SATO, "follow")
    await village.act(SATO, "postback", data="v1|category|on|gomi")
    await village.act(SATO, "text", text="やめたい")
    (said,) = await village.tap(SATO, "避難など命に関わるものだけ")
    assert "命に関わるお知らせだけ" in said["text"]
    chosen = await village.preferences(SATO)
    assert (chosen.paused_until, chosen.categories) == (UNTIL_CHANGED, {"saigai", "gomi"})
    await village.tap(SATO, "元の受け取り方に戻す")
    assert (await village.preferences(SATO)).paused_until is None


async def test_routine_notices_come_together_in_the_morning_when_she_likes(village):
    await village.act(SATO, "follow")
    await village.act(SATO, "text", text="やめたい")
    (said,) = await village.tap(SATO, "朝のまとめで受け取る")
    assert "毎朝7:30に1通" in said["text"]
    assert (await village.preferences(SATO)).pace == "morning"
    (card,) = await village.act(SATO, "postback", data="v1|show|summary")
    assert "朝のまとめで受け取る" in words_of(card)
    await village.act(SATO, "text", text="やめたい")
    await village.tap(SATO, "出るたびに受け取る")
    assert (await village.preferences(SATO)).pace == "at_once"


async def test_a_break_has_an_end(village):
    await village.act(MARIA, "follow")
    await village.act(MARIA, "text", text="too many messages")
    await village.tap(MARIA, "Take a break")
    (said,) = await village.tap(MARIA, "30 days")
    assert "life-saving notices only" in said["text"]
    assert (await village.preferences(MARIA)).paused_until == today_jst() + timedelta(days=30)


async def test_stopping_warns_first_and_no_tap_on_an_old_button_brings_anybody_back(village):
    await village.act(SATO, "follow")
    await village.act(SATO, "text", text="やめたい")
    (asked,) = await village.tap(SATO, "すべて止める")
    assert "避難指示など、命に関わるお知らせも届かなくなります" in words_of(asked)
    assert (await village.registration(SATO)).state == "active"
    await village.act(SATO, "postback", data="v1|stop|all_yes")
    assert (await village.registration(SATO)).state == "left"
    for old in ("v1|category|on|gomi", "v1|show|summary", "nonsense"):
        (said,) = await village.act(SATO, "postback", data=old)
        assert "いま止まっています" in said["text"]
    (answer,) = await village.act(SATO, "text", text="メニュー")
    assert "避難所をさがす" in words_of(answer)
    assert (await village.registration(SATO)).state == "left"
    await village.act(SATO, "postback", data="v1|stop|undo")
    assert (await village.registration(SATO)).state == "active"
    assert (await village.preferences(SATO)).categories == {"saigai"}


async def test_a_late_tap_stops_nothing(village):
    await village.act(SATO, "follow")
    await village.post(tapped(now_ms() - 3_600_000, "v1|stop|all_yes"))
    await village.handle()
    assert (await village.registration(SATO)).state == "active"


async def test_one_s_own_data_are_shown_and_erased(village):
    await village.act(ABE, "follow")
    await village.act(ABE, "postback", data="v1|category|on|kosodate")
    await village.act(ABE, "datetime", data="v1|birth|add", params={"date": "2024-02-29"})
    (text,) = await village.act(ABE, "postback", data="v1|stop|export")
    for part in ("子育て", "2024年2月", "日本語", "登録（LINE）", "変更（LINE）"):
        assert part in text["text"]
    assert ABE not in text["text"]
    (asked,) = await village.act(ABE, "postback", data="v1|stop|erase")
    assert "元に戻せません" in words_of(asked)
    assert await village.registration(ABE) is not None
    (said,) = await village.tap(ABE, "消す")
    assert "登録を消しました" in said["text"]
    assert await village.registration(ABE) is None
