"""Receiving less, or nothing: the acts in their order, the way back, and what a mail program does by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.resident.unsubscribe import PAUSES
from bot.service import Service
from content.clock import DAY, now_ms, today_jst
from content.register import leaving, subscriber_changes, subscribers
from content.register.states import Route
from content.register.subscribers import UNTIL_CHANGED, Subscriber
from content.register.tokens import subscriber_token
from tests.bot.web_visitor import Visitor
from tests.factories import NEWCOMER, PARENT, make_subscriber


async def register(service: Service) -> tuple[int, str]:
    async with service.database.write() as connection:
        person = await make_subscriber(
            connection, service.keys, NEWCOMER, categories={"saigai", "event", "gomi"}
        )
    return person.id, f"/unsubscribe/{subscriber_token(service.keys, 'unsubscribe', person.id, person.salt)}"


async def found(service: Service, number: int) -> Subscriber:
    async with service.database.read() as connection:
        return await subscribers.require(connection, number)


async def test_the_page_offers_the_gentlest_first_and_names_the_address_masked(
    stranger: Visitor, service: Service
) -> None:
    _, path = await register(service)
    page = await stranger.get(path)
    offers = ("種類を減らす", "避難など命に関わるものだけ", "しばらく休む", "メールの受け取りをやめる")
    places = [page.html.index(f">{words}") for words in offers]
    assert places == sorted(places)
    assert "n…@example.jp" in page.text and NEWCOMER.address not in page.html
    # Above the button, in each language.
    end = page.html.index('value="stop"')
    for warning in ("避難の情報も", "にげる ための", "Evacuation orders will no longer reach"):
        assert places[-1] < page.html.index(warning) < end


async def test_fewer_topics_and_back(stranger: Visitor, service: Service) -> None:
    number, path = await register(service)
    page = await stranger.post(path, [("act", "topics"), ("category", "gomi")])
    assert "受け取る種類を変えました" in page.text
    assert (await found(service, number)).preferences.categories == {"saigai", "gomi"}
    back = [("act", "topics"), *(("category", key) for key in ("saigai", "event", "gomi"))]
    for _, key in back[1:]:
        assert f'<input type="hidden" name="category" value="{key}">' in page.html
    await stranger.post(path, back)
    assert (await found(service, number)).preferences.categories == {"saigai", "event", "gomi"}


async def test_only_what_is_life_critical_until_it_is_changed(stranger: Visitor, service: Service) -> None:
    number, path = await register(service)
    page = await stranger.post(path, [("act", "critical")])
    assert "命に関わるお知らせだけが届きます" in page.text
    now = await found(service, number)
    assert (now.state, now.preferences.paused_until) == ("active", UNTIL_CHANGED)
    again = await stranger.get(path)
    assert "変えるまで続きます" in again.text
    await stranger.post(path, [("act", "resume")])
    assert (await found(service, number)).preferences.paused_until is None


async def test_a_pause_says_until_when(stranger: Visitor, service: Service) -> None:
    number, path = await register(service)
    page = await stranger.post(path, [("act", "pause"), ("days", str(PAUSES[0]))])
    until = today_jst() + timedelta(days=PAUSES[0])
    assert f"{until.month}月{until.day}日まで" in page.text
    assert (await found(service, number)).preferences.paused_until == until


async def test_an_end_is_undone_from_the_page_for_a_week(stranger: Visitor, service: Service) -> None:
    number, path = await register(service)
    page = await stranger.post(path, [("act", "stop")])
    assert "お知らせをやめました" in page.text and 'value="undo"' in page.html
    assert (await found(service, number)).state == "left"
    page = await stranger.post(path, [("act", "undo")])
    assert "元に戻しました" in page.text
    now = await found(service, number)
    assert now.state == "active"
    assert now.preferences.categories == {"saigai", "event", "gomi"}


async def test_after_a_week_and_for_an_end_by_others_there_is_no_way_back(
    stranger: Visitor, service: Service
) -> None:
    number, path = await register(service)
    async with service.database.write() as connection:
        await leaving.stop(connection, number, route=Route.WEB, at=now_ms() - 8 * DAY)
    assert 'value="undo"' not in (await stranger.get(path)).html
    await stranger.post(path, [("act", "undo")])
    assert (await found(service, number)).state == "left"
    async with service.database.write() as connection:
        other = await make_subscriber(connection, service.keys, PARENT)
        await subscriber_changes.leave(connection, other.id, reason="blocked", at=now_ms())
    token = subscriber_token(service.keys, "unsubscribe", other.id, other.salt)
    page = await stranger.get(f"/unsubscribe/{token}")
    assert "もう終わっています" in page.text and 'value="undo"' not in page.html


async def test_a_form_that_was_left_open_does_not_change_what_has_ended(
    stranger: Visitor, service: Service
) -> None:
    number, path = await register(service)
    await stranger.post(path, [("act", "stop")])
    page = await stranger.post(path, [("act", "critical")])
    assert "もう終わっています" in page.text
    now = await found(service, number)
    assert (now.state, now.preferences.paused_until) == ("left", None)


@pytest.mark.parametrize(
    "fields",
    [[("act", "everything")], [("act", "pause")], [("act", "pause"), ("days", "x")],
     [("act", "pause"), ("days", "36500")]],
)  # fmt: skip
async def test_what_the_page_does_not_offer_is_refused_and_changes_nothing(
    stranger: Visitor, service: Service, fields: list[tuple[str, str]]
) -> None:
    number, path = await register(service)
    before = await found(service, number)
    assert (await stranger.post(path, fields)).status == 400
    assert await found(service, number) == before


async def test_a_topic_that_the_town_does_not_have_is_not_chosen(stranger: Visitor, service: Service) -> None:
    number, path = await register(service)
    await stranger.post(path, [("act", "topics"), ("category", "nothing"), ("category", "kosodate")])
    assert (await found(service, number)).preferences.categories == {"saigai", "kosodate"}


async def test_one_click_of_a_mail_program_ends_it_at_once(stranger: Visitor, service: Service) -> None:
    number, path = await register(service)
    one_click = [("List-Unsubscribe", "One-Click")]
    await stranger.post(path, one_click, Origin="https://mail.example", follow=False)
    assert (await found(service, number)).state == "left"
