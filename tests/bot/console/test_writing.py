"""Writing made short and safe: districts ticked, gaps asked once, nothing typed lost or overwritten silently."""

from __future__ import annotations

from collections.abc import Mapping

from bot.service import Service
from content.notices import notices
from content.notices.notices import Notice
from content.notices.segments import Target
from tests.bot.console.test_second_factor import enrol
from tests.bot.web_visitor import PASSWORD, Page, Visitor
from tests.factories import ELDER, PARENT, make_subscriber

NEW = "/console/notices/new"
TEMPLATE = "/console/notices/template"
LOOK = "/console/notices/look"
KEEP = "/console/notices/keep"
WORDS = {"title.ja": "断水のお知らせ", "body.ja": "4月10日に断水します。", "category": "kurashi"}


async def only_notice(service: Service) -> Notice:
    async with service.database.read() as connection:
        (found,) = await notices.recent(connection)
    return found


def typed(
    page: Page, changed: Mapping[str, str | list[str]], leave: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    """The fields of the form with some changed."""
    kept = [(name, value) for name, value in page.form(NEW) if name not in changed and name not in leave]
    return kept + [
        (name, item)
        for name, value in changed.items()
        for item in ([value] if isinstance(value, str) else value)
    ]


async def test_districts_ages_and_languages_are_chosen_without_a_prepared_segment(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, PARENT)
        await make_subscriber(connection, service.keys, ELDER)
    page = await tanaka.write(
        target="chosen", area=["funaoka", "nishizumi"], youngest="0", oldest="2", language=["ja"]
    )
    stored = await only_notice(service)
    assert page.path == f"/console/notices/{stored.id}/confirm"
    assert "地区が船岡・西住、子どもが0〜2歳、ことばが日本語" in page.text
    assert "これから 1 件に送ります" in page.text
    edit = await tanaka.get(f"/console/notices/{stored.id}/edit")
    fields = edit.form(edit.path)
    assert [value for name, value in fields if name == "area"] == ["funaoka", "nishizumi"]
    assert dict(fields)["target"] == "chosen" and dict(fields)["oldest"] == "2"


async def test_ticks_beside_another_choice_are_refused_and_no_ticks_reach_nobody(tanaka: Visitor) -> None:
    beside = await tanaka.write(target="subscribed", area=["funaoka"])
    assert "印を外してください" in beside.message_of("target")
    nothing = await tanaka.write(target="chosen")
    assert "送る地区を1つ以上" in nothing.message_of("area")
    ages = await tanaka.write(target="chosen", youngest="5", oldest="2")
    assert "左の年齢を右の年齢以下" in ages.message_of("youngest")
    unknown = await tanaka.write(target="chosen", area=["atlantis"])
    assert "町の設定にない" in unknown.message_of("segment")


async def test_a_group_as_a_condition_closes_the_notice(tanaka: Visitor, service: Service) -> None:
    await tanaka.write(target="chosen", in_group=["kucho"])
    stored = await only_notice(service)
    assert stored.spec.target == Target("segment", '[{"any_of":["kucho"],"field":"group"}]')
    page = await tanaka.get(f"/console/notices/{stored.id}/confirm")
    assert "/n/" not in page.text


async def test_a_gap_is_asked_once_and_filled_in_every_language(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(f"{NEW}?urgency=urgent&template=evacuation4")
    missing = await tanaka.submit(page, NEW, {"area": ["funaoka", "tsukinoki"]})
    assert missing.status == 422
    assert "「避難所」を入れてください" in missing.message_of("gap.ja.避難所")
    assert missing.message_of("gap.ja.地区") == ""
    gaps = {
        "gap.ja.川の名前": "阿武隈川",
        "gap.en.川の名前": "The Abukuma river",
        "gap.ja.避難所": "船岡小学校",
    }
    await tanaka.submit(missing, NEW, gaps)
    texts = (await only_notice(service)).spec.texts
    assert texts["ja"][0] == "【警戒レベル4 避難指示】船岡・槻木 今すぐ避難"
    assert texts["ja"][1].count("船岡小学校") == 1 and "阿武隈川の水位" in texts["ja"][1]
    assert texts["en"][0] == "[Level 4] Evacuate now: Funaoka, Tsukinoki"
    assert texts["en"][1].startswith("The Abukuma river may overflow. Everyone in Funaoka, Tsukinoki must")
    assert "船岡小学校" in texts["en"][1] and "船岡小学校" in texts["ja-easy"][1]
    assert not any("{{" in part for words in texts.values() for part in words)


async def test_a_template_asks_before_it_replaces_typed_words(tanaka: Visitor) -> None:
    page = await tanaka.get(NEW)
    at_once = await tanaka.post(TEMPLATE, typed(page, {"use_template": "checkup"}))
    assert dict(at_once.form(NEW))["title.ja"].startswith("乳幼児健診")
    # An untouched template is replaced by another without a question.
    other = await tanaka.post(TEMPLATE, typed(at_once, {"use_template": "suspicious"}))
    assert dict(other.form(NEW))["title.ja"].startswith("不審者情報")
    mine = typed(page, WORDS | {"use_template": "checkup"})
    asked = await tanaka.post(TEMPLATE, mine)
    assert asked.status == 409 and "置きかえますか" in asked.text
    assert dict(asked.form(NEW))["title.ja"] == "断水のお知らせ"
    yes = await tanaka.post(TEMPLATE, typed(asked, {"use_template": "checkup"}))
    assert dict(yes.form(NEW))["title.ja"].startswith("乳幼児健診")


async def test_two_people_who_edit_one_draft_are_told_and_nothing_is_overwritten(
    tanaka: Visitor, service: Service
) -> None:
    await tanaka.write()
    stored = await only_notice(service)
    path = f"/console/notices/{stored.id}/edit"
    hers, his = await tanaka.get(path), await tanaka.get(path)
    await tanaka.submit(hers, path, {"body.ja": "先に保存した文"})
    told = await tanaka.submit(his, path, {"body.ja": "あとから保存しようとした文"})
    assert told.status == 409
    assert "ほかの人が先に保存しました" in told.text
    assert "先に保存した文" in told.text and "あとから保存しようとした文" in told.text
    assert (await only_notice(service)).body == "先に保存した文"
    # Who has seen the other text may replace it.
    after = await tanaka.submit(told, path)
    assert after.path == f"/console/notices/{stored.id}/confirm"
    assert (await only_notice(service)).body == "あとから保存しようとした文"


async def test_saving_the_same_words_twice_is_no_conflict(tanaka: Visitor, service: Service) -> None:
    await tanaka.write()
    path = f"/console/notices/{(await only_notice(service)).id}/edit"
    page = await tanaka.get(path)
    for _ in range(2):
        assert (await tanaka.submit(page, path, {"body.ja": "同じ文"})).path.endswith("/confirm")


async def test_half_a_notice_is_kept_and_found_again_until_it_is_a_draft(
    tanaka: Visitor, service: Service
) -> None:
    page = await tanaka.get(NEW)
    fields = typed(page, {"title.ja": "とちゅうの件名", "area": ["funaoka"]})
    by_script = await tanaka.post(KEEP, fields, True, **{"X-Autosave": "1"})
    assert by_script.status == 204
    again = await tanaka.get(NEW)
    assert "書きかけのお知らせ" in again.text and "とちゅうの件名" in again.text
    saved = await tanaka.post(KEEP, fields)
    assert "下書きを保存しました" in saved.text
    assert dict(saved.form(NEW))["title.ja"] == "とちゅうの件名"
    await tanaka.post(NEW, typed(saved, WORDS, leave=("area",)))
    assert "書きかけのお知らせ" not in (await tanaka.get(NEW)).text
    assert (await only_notice(service)).title == "断水のお知らせ"


async def test_what_one_person_keeps_another_does_not_see(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(NEW)
    fields = typed(page, {"title.ja": "とちゅうの件名"})
    saved = await tanaka.post(KEEP, fields)
    await tanaka.enter(service, "suzuki")
    assert "とちゅうの件名" not in (await tanaka.get(NEW)).text
    assert "とちゅうの件名" not in (await tanaka.get(saved.path)).text


async def test_the_count_and_the_look_follow_the_form_and_name_empty_districts(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, PARENT)
    page = await tanaka.get(NEW)
    fields = typed(
        page,
        {**WORDS, "category": "kosodate", "target": "chosen", "area": ["funaoka", "nishizumi"]},
    )
    part = await tanaka.post(LOOK, fields, True, **{"X-Fragment": "1"})
    assert "<html" not in part.html
    assert "1 件 登録の数" in part.text and "登録のない地区:西住" in part.text
    assert "断水のお知らせ" in part.text and "通知(ロック画面)" in part.text
    assert "配信を止めるためのリンク" in part.text
    whole = await tanaka.post(LOOK, fields)
    assert "登録のない地区:西住" in whole.text
    assert dict(whole.form(NEW))["title.ja"] == "断水のお知らせ"
    async with service.database.read() as connection:
        assert await notices.recent(connection) == []


async def test_a_session_that_ends_in_the_middle_loses_no_words(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(NEW)
    fields = typed(page, {**WORDS, "target": "chosen", "area": ["funaoka"], "body.ja": "\n一行目\n<b>二行目"})
    tanaka.client.session.cookie_jar.clear()
    ended = await tanaka.post(NEW, fields)
    assert ended.status == 401 and "書いた内容は、この画面に残っています" in ended.text
    wrong = await tanaka.submit(ended, "/console/resume", {"login": "tanaka", "password": "ちがう"})
    assert wrong.status == 401 and "ログインできませんでした" in wrong.text
    entered = await tanaka.submit(wrong, "/console/resume", {"login": "tanaka", "password": PASSWORD})
    confirm = await tanaka.submit(entered, NEW)
    stored = await only_notice(service)
    assert confirm.path == f"/console/notices/{stored.id}/confirm"
    assert stored.body == "一行目\n<b>二行目"
    assert "地区が船岡" in confirm.text


async def test_signed_in_again_in_another_tab_the_words_go_on_too(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(NEW)
    tanaka.client.session.cookie_jar.clear()
    ended = await tanaka.post(NEW, typed(page, WORDS))
    not_yet = await tanaka.submit(ended, "/console/resume/here")
    assert not_yet.status == 401 and "まだログインしていません" in not_yet.text
    await tanaka.enter(service, "tanaka")
    entered = await tanaka.submit(not_yet, "/console/resume/here")
    assert (await tanaka.submit(entered, NEW)).path.endswith("/confirm")


async def test_an_act_is_not_carried_nor_what_another_site_sends(tanaka: Visitor) -> None:
    confirm = await tanaka.write()
    page = await tanaka.get(NEW)
    tanaka.client.session.cookie_jar.clear()
    approve = confirm.path.replace("/confirm", "/approve")
    assert "carried" not in (await tanaka.post(approve, [("word", "配信")])).html
    foreign = await tanaka.post(NEW, typed(page, WORDS), True, **{"Sec-Fetch-Site": "cross-site"})
    assert foreign.status == 401 and "carried" not in foreign.html
    climbing = [("carried_path", "/console/notices/1/approve"), ("carried", "[]")]
    assert (await tanaka.post("/console/resume/here", climbing)).status == 403


async def test_with_a_second_factor_the_words_go_on_too(tanaka: Visitor, service: Service) -> None:
    _, recovery = await enrol(tanaka)
    page = await tanaka.get(NEW)
    tanaka.client.session.cookie_jar.clear()
    ended = await tanaka.post(NEW, typed(page, WORDS))
    code = await tanaka.submit(ended, "/console/resume", {"login": "tanaka", "password": PASSWORD})
    wrong = await tanaka.submit(code, "/console/resume/code", {"code": "000000"})
    assert wrong.status == 401
    entered = await tanaka.submit(wrong, "/console/resume/code", {"code": recovery[0]})
    assert (await tanaka.submit(entered, NEW)).path.endswith("/confirm")
    assert (await only_notice(service)).title == "断水のお知らせ"
