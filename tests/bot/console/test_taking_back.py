"""A booked notice is taken back to a draft, changed, and approved again."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.service import Service
from content.clock import now_ms, to_jst
from content.notices import submissions, triggers
from content.notices.submissions import SubmissionState
from content.staff import audit
from content.town import Town
from tests.bot.console.test_approval import action, id_of, notice_of, two_person_town, written
from tests.bot.web_visitor import Page, Visitor
from tests.factories import make_notice

OFFERED = "下書きに戻して直す"


@pytest.fixture
def town() -> Town:
    return two_person_town()


def in_days(days: int) -> str:
    moment = (to_jst(now_ms()) + timedelta(days=days)).replace(hour=12, minute=0, second=0, microsecond=0)
    return f"{moment:%Y-%m-%dT%H:%M}"


async def booked_alone(visitor: Visitor, service: Service, **fields: str) -> Page:
    """Its page, after whoever wrote it has also booked it."""
    confirm = await written(visitor, service, when="at", at=in_days(3), **fields)
    return await approve(visitor, confirm)


async def approve(visitor: Visitor, confirm: Page) -> Page:
    accepted = re.findall(r'name="accept" value="([^"]+)"', confirm.html)
    word = re.search(r"確認のため「<strong>([^<]+)", confirm.html)
    assert word, confirm.text
    return await visitor.approve(confirm, word[1], accept=accepted)


async def test_a_booked_notice_is_taken_back_after_one_question_changed_and_approved_again(
    tanaka: Visitor, service: Service
) -> None:
    page = await booked_alone(tanaka, service, category="gomi")
    number = id_of(page)
    assert OFFERED in page.text
    asked = await tanaka.get(action(page, "take-back"))
    assert "もう一度承認するまでは送られません" in asked.text
    assert (await notice_of(service, number)).state == "approved"
    edit = await tanaka.submit(asked, action(page, "take-back"))
    assert edit.path == action(page, "edit")
    assert (await notice_of(service, number)).approved_by is None
    confirm = await tanaka.submit(edit, action(page, "edit"), {"at": in_days(4), "title.ja": "直した件名"})
    assert (await notice_of(service, number)).state == "draft"
    await approve(tanaka, confirm)
    again = await notice_of(service, number)
    assert (again.state, again.title, again.due_at) == ("approved", "直した件名", again.spec.at)
    async with service.database.read() as connection:
        acts = [item.action for item in await audit.entries(connection, f"notice {number}")][::-1]
    assert acts == [
        "notice.drafted",
        "notice.approved",
        "notice.taken_back",
        "notice.revised",
        "notice.approved",
    ]


async def test_what_two_people_approved_takes_two_people_again(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    confirm = await written(tanaka, service, when="at", at=in_days(3))
    await tanaka.submit(confirm, action(confirm, "submit"))
    page = await approve(suzuki, await suzuki.get(confirm.path))
    asked = await suzuki.get(action(page, "take-back"))
    await suzuki.submit(asked, asked.path)
    mine = await suzuki.get(confirm.path)
    assert action(confirm, "approve") not in mine.html and action(confirm, "submit") in mine.html
    async with service.database.read() as connection:
        latest = await submissions.latest(connection, id_of(confirm))
    assert latest is not None and latest.state == SubmissionState.APPROVED


async def test_an_urgent_one_that_was_booked_alone_is_looked_at_again(
    tanaka: Visitor, service: Service
) -> None:
    page = await booked_alone(tanaka, service, category="saigai", urgency="urgent")
    async with service.database.read() as connection:
        assert await submissions.review_of(connection, id_of(page)) is not None
    asked = await tanaka.get(action(page, "take-back"))
    await tanaka.submit(asked, asked.path)
    async with service.database.read() as connection:
        assert await submissions.review_of(connection, id_of(page)) is None
    await approve(tanaka, await tanaka.get(action(page, "confirm")))
    async with service.database.read() as connection:
        assert await submissions.review_of(connection, id_of(page)) is not None


async def test_what_has_fired_meanwhile_is_not_taken_back_and_the_page_says_so(
    tanaka: Visitor, service: Service
) -> None:
    page = await booked_alone(tanaka, service, category="gomi")
    number = id_of(page)
    asked = await tanaka.get(action(page, "take-back"))
    async with service.database.write() as connection:
        assert await triggers.fire(connection, number, now_ms())
    after = await tanaka.submit(asked, asked.path)
    assert "下書きに戻していません" in after.text and OFFERED not in after.text
    assert (await notice_of(service, number)).state == "approved"
    assert "下書きに戻していません" in (await tanaka.get(asked.path)).text


async def test_who_may_only_see_is_not_offered_it(kikaku: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        number = await make_notice(connection)
    assert OFFERED not in (await kikaku.get(f"/console/notices/{number}")).text
    assert (await kikaku.post(f"/console/notices/{number}/take-back", [])).status == 403
