"""What residents see: public notices, the end of a registration, the first page."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.service import Service
from content.clock import now_ms
from content.notices import notice_changes, triggers
from content.notices.segments import Target
from content.notices.states import NoticeKind
from content.register import subscribers
from content.register.tokens import subscriber_token
from tests.bot.web_visitor import Visitor
from tests.factories import NEWCOMER, create_town, make_notice, make_subscriber, public_page, segment, spec

TEXTS = {
    "ja": ("避難してください", "川があふれます。\n<b>小学校</b>へ。"),
    "ja-easy": ("にげてください", "川(かわ)の 水(みず)が ふえます。"),
    "en": ("Evacuate now", "Go to the school."),
}


async def published(service: Service, **changes: object) -> str:
    """The path of the page of a notice that is out."""
    return await public_page(service.database, await publish(service, **changes))


async def publish(service: Service, **changes: object) -> int:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection, **{"texts": TEXTS, "category": "saigai", **changes})  # type: ignore[arg-type]
        await triggers.fire(connection, notice_id, now_ms())
    return notice_id


async def test_a_notice_is_public_in_all_its_languages(stranger: Visitor, service: Service) -> None:
    page = await stranger.get(await published(service, urgency="urgent"))
    assert page.status == 200
    assert "【緊急】避難してください" in page.text and "[URGENT] Evacuate now" in page.text
    assert '<article id="en" lang="en"' in page.html and '<article id="ja-easy" lang="ja"' in page.html
    assert "&lt;b&gt;小学校" in page.html
    # What a chat shows of a link that somebody passes on.
    assert 'property="og:title" content="【緊急】避難してください"' in page.html
    assert re.search(r'og:image" content="https?://[^"]+/n/[^"]+/card-ja\.jpg"', page.html)
    assert 'og:description" content="川があふれます。' in page.html
    assert page.headers["Cache-Control"] == "public, max-age=1"
    assert "Set-Cookie" not in page.headers


async def test_a_heading_breaks_between_phrases_alone(stranger: Visitor, service: Service) -> None:
    texts = {"ja": ("<船岡>地区の避難所を開設しました", "船岡小学校"), "en": ("Shelter opened", "Funaoka")}
    page = await stranger.get(await published(service, texts=texts))
    assert "&lt;船岡&gt;" in page.html and "地区の<wbr>" in page.html and "<h1>Shelter" not in page.html


async def test_a_drill_says_so_in_every_language(stranger: Visitor, service: Service) -> None:
    page = await stranger.get(await published(service, mode="drill"))
    assert "【訓練】避難してください" in page.text and "[DRILL] Evacuate now" in page.text
    assert "これは訓練です。" in page.text and "This is a drill. It is not real." in page.text


async def test_drafts_scheduled_ones_and_group_notices_are_not_public(
    stranger: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        drafted = await make_notice(connection, approved=False)
        waiting = await make_notice(connection)
    group = await published(service, target=Target("group", "kucho"))
    hidden = [await public_page(service.database, number) for number in (drafted, waiting)]
    for path in (*hidden, group, f"/n/{'0' * 12}", *(f"/n/{number}" for number in range(9))):
        page = await stranger.get(path)
        assert page.status == 404
        assert "0224-00-0000" in page.text
        assert "健診" not in page.text and "避難して" not in page.text


async def test_a_notice_for_a_group_is_not_public_when_a_segment_leads_to_it(
    stranger: Visitor, service: Service
) -> None:
    rules = segment({"field": "group", "any_of": ["kucho"]}, {"field": "area", "any_of": ["funaoka"]})
    town = service.town.model_copy(update={"segments": create_town(segments=[rules]).segments})
    # The page asks the town of the running service.
    service.town.__dict__.update(segments=town.segments, segment={rule.key: rule for rule in town.segments})
    page = await stranger.get(await published(service, target=Target("segment", "chosen")))
    assert page.status == 404 and "避難して" not in page.text


async def test_search_engines_are_kept_from_drills_alone(stranger: Visitor, service: Service) -> None:
    for mode, expected in (("live", None), ("drill", "noindex"), ("test", "noindex")):
        page = await stranger.get(await published(service, mode=mode))
        assert page.headers.get("X-Robots-Tag") == expected


async def test_a_correction_and_what_it_corrects_lead_to_each_other(
    stranger: Visitor, service: Service
) -> None:
    corrected = await publish(service)
    first = await public_page(service.database, corrected)
    async with service.database.write() as connection:
        correction = replace(spec(texts=TEXTS), kind=NoticeKind.WITHDRAWAL, corrects=corrected)
        number, _ = await notice_changes.create(
            connection, correction, submission_key="c", staff="tanaka", at=now_ms()
        )
        await notice_changes.approve(connection, number, staff="tanaka", at=now_ms())
    assert "取り消されました" not in (await stranger.get(first)).text
    async with service.database.write() as connection:
        await triggers.fire(connection, number, now_ms())
    second = await public_page(service.database, number)
    page = await stranger.get(first)
    assert "このお知らせは取り消されました。" in page.text and f'href="{second}"' in page.html
    assert f'href="{first}"' in (await stranger.get(second)).html


async def register(service: Service) -> tuple[int, str]:
    """A mail registration and the path that ends it."""
    async with service.database.write() as connection:
        person = await make_subscriber(connection, service.keys, NEWCOMER)
    token = subscriber_token(service.keys, "unsubscribe", person.id, person.salt)
    return person.id, f"/unsubscribe/{token}"


async def state_of(service: Service, subscriber_id: int) -> str:
    async with service.database.read() as connection:
        found = await subscribers.get(connection, subscriber_id)
    assert found is not None
    return found.state


async def test_opening_the_link_changes_nothing(stranger: Visitor, service: Service) -> None:
    number, path = await register(service)
    for _ in range(2):
        page = await stranger.get(path)
        assert page.status == 200
        assert "減らす・やめる" in page.text and "とどかなく" in page.text
        assert "Stop all email notices" in page.text
    assert NEWCOMER.address not in page.html
    assert await state_of(service, number) == "active"


async def test_the_button_ends_the_registration_and_may_be_pressed_twice(
    stranger: Visitor, service: Service
) -> None:
    number, path = await register(service)
    for _ in range(2):
        page = await stranger.post(path, [])
        assert page.status == 200
        assert "お知らせをやめました" in page.text
    assert await state_of(service, number) == "left"
    assert "もう終わっています" in (await stranger.get(path)).text


async def test_a_mail_program_unsubscribes_with_one_post(stranger: Visitor, service: Service) -> None:
    number, path = await register(service)
    page = await stranger.post(
        path, [("List-Unsubscribe", "One-Click")], Origin="https://mail.example", follow=False
    )
    assert page.status == 200
    assert await state_of(service, number) == "left"


async def test_a_bad_token_is_a_friendly_page_with_the_phone_number(
    stranger: Visitor, service: Service
) -> None:
    number, path = await register(service)
    async with service.database.read() as connection:
        person = await subscribers.get(connection, number)
    assert person is not None and person.salt
    other = subscriber_token(service.keys, "preferences", number, person.salt)
    unknown = service.keys.sign("unsubscribe", "12345")
    huge = service.keys.sign("unsubscribe", "9" * 5000)
    unsalted = service.keys.sign("unsubscribe", str(number))
    tokens = (other, unknown, huge, unsalted)
    for bad in (path[:-1], "/unsubscribe/x", *(f"/unsubscribe/{token}" for token in tokens)):
        for page in (await stranger.get(bad), await stranger.post(bad, [])):
            assert page.status == 404
            assert "登録は何も変わっていません" in page.text and "0224-00-0000" in page.text
    assert await state_of(service, number) == "active"


async def test_the_first_page_says_what_this_is(stranger: Visitor) -> None:
    page = await stranger.get("/")
    assert "LINEで受け取る" in page.text and "English" in page.text
    assert 'href="/console/"' in page.html
