"""A minute in which a routine notice can be taken back after its approval on the screen."""

from __future__ import annotations

import re
from datetime import time

import pytest

from bot.service import Service
from content.clock import HOUR, SECOND, now_ms
from content.notices.recurrence import RecurrenceRule
from content.town import Town
from scheduler import notice_service
from scheduler.approval import undo_time
from scheduler.triggers import fire_due
from tests.bot.console.test_approval import action, id_of, notice_of
from tests.bot.web_visitor import Page, Visitor
from tests.factories import PARENT, create_town, make_subscriber, spec


@pytest.fixture
def town() -> Town:
    return create_town(undo_seconds=60)


async def approved(visitor: Visitor, service: Service, **fields: str) -> tuple[Page, Page]:
    """The confirm page and the page after it."""
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, PARENT)
    confirm = await visitor.write(channels=["line"], **fields)
    accepted = re.findall(r'name="accept" value="([^"]+)"', confirm.html)
    word = re.search(r"確認のため「<strong>([^<]+)", confirm.html)
    assert word, confirm.text
    return confirm, await visitor.approve(confirm, word[1], accept=accepted)


async def test_a_routine_notice_waits_a_minute_and_can_be_cancelled_in_it(
    tanaka: Visitor, service: Service
) -> None:
    confirm, page = await approved(tanaka, service)
    assert "押してから60秒の間は" in confirm.text
    assert "取り消すことも下書きに戻すこともできます" in page.text
    # Counted by the server, so that it stands there without JavaScript too, with the time until.
    counted = re.search(r"あと (\d+)秒 で \(?\s*\(?(\d\d:\d\d:\d\d) から", page.text)
    assert counted and 0 < int(counted[1]) <= 60, page.text
    found = await notice_of(service, id_of(page))
    assert found.approved_at is not None and found.due_at == found.approved_at + 60 * SECOND
    assert await fire_due(service.context, found.due_at - 1) == 0
    asked = await tanaka.get(action(page, "cancel"))
    assert "取り消しました" in (await tanaka.submit(asked, asked.path)).text
    assert await fire_due(service.context, found.due_at) == 0


async def test_it_goes_out_when_nobody_takes_it_back(tanaka: Visitor, service: Service) -> None:
    _, page = await approved(tanaka, service)
    found = await notice_of(service, id_of(page))
    assert await fire_due(service.context, found.due_at) == 1


async def test_it_goes_back_to_a_draft_and_waits_again_after_the_next_approval(
    tanaka: Visitor, service: Service
) -> None:
    _, page = await approved(tanaka, service)
    asked = await tanaka.get(action(page, "take-back"))
    edit = await tanaka.submit(asked, asked.path)
    assert 'name="at"' in edit.html and dict(edit.form(edit.path))["when"] == "now"
    found = await notice_of(service, id_of(page))
    assert (found.state, found.spec.at) == ("draft", None)
    assert await fire_due(service.context, now_ms() + HOUR) == 0
    await tanaka.approve(await tanaka.get(action(page, "confirm")))
    again = await notice_of(service, id_of(page))
    assert again.approved_at is not None and again.due_at == again.approved_at + 60 * SECOND


async def test_an_urgent_notice_waits_for_nothing_and_the_page_does_not_promise_what_is_not_so(
    tanaka: Visitor, service: Service
) -> None:
    confirm, page = await approved(tanaka, service, category="saigai", urgency="urgent")
    assert "押すとすぐに出はじめます" in confirm.text and "秒の間は" not in confirm.text
    found = await notice_of(service, id_of(page))
    assert found.due_at == found.approved_at


async def test_the_command_line_posts_at_once(service: Service) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys)
    notice_id = await notice_service.post(service.context, spec(), submission_key="k", staff="tanaka")
    found = await notice_of(service, notice_id)
    assert found.due_at == found.approved_at


def test_only_a_routine_notice_for_at_once_waits(town: Town) -> None:
    assert undo_time(town, spec()) == 60 * SECOND
    for other in (
        spec(urgency="urgent"),
        spec(at=now_ms() + HOUR),
        spec(rule=RecurrenceRule("monthend", time(9))),
        spec(kind="correction", corrects=1),
    ):
        assert undo_time(town, other) == 0
    assert undo_time(create_town(), spec()) == 0
