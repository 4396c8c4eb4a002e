"""What residents did after a notice: beside what they do anyway, with its uncertainty, and nobody is blamed."""

from __future__ import annotations

import random

import pytest

from bot.service import Service
from content.clock import DAY, HOUR, now_ms
from content.figures.effect import WINDOW, Change, Usual, effect_of, usual
from content.figures.observed import note_running
from content.register.registration import Registration, register_many
from content.register.states import Route
from content.register.subscribers import Preferences
from tests.bot.web_visitor import Visitor
from tests.factories import line_id, make_delivery, make_notice

NOW = now_ms()
FIRED = NOW - 4 * DAY


@pytest.mark.parametrize("mean", [0.3, 2, 9, 60])
def test_the_usual_range_holds_most_of_what_scatters_by_chance_alone(mean: float) -> None:
    of, inside, rounds = random.Random(7), 0, 600
    for _ in range(rounds):
        *before, after = (sum(of.random() < mean / 400 for _ in range(400)) for _ in range(5))
        found = usual(before)
        assert found is not None
        inside += found.low <= after <= found.high
    assert inside / rounds > 0.92


def test_too_little_to_compare_with_is_said() -> None:
    assert usual([5]) is None and Change(50, None).verdict == "unknown"
    assert usual([0, 0, 0]) == Usual(0, 1, 3)
    assert [Change(number, Usual(3, 9, 4)).verdict for number in (2, 3, 9, 10)] == [
        "fewer",
        "usual",
        "usual",
        "more",
    ]


@pytest.fixture
async def notice_id(service: Service) -> int:
    """Three joined in each of the four weeks before, twenty after; one more by an import does not count."""
    times = [FIRED - week * 7 * DAY + HOUR for week in range(1, 5) for _ in range(3)]
    times += [FIRED + HOUR] * 20
    joined = [
        Registration("line", "line", line_id(number), Preferences(), at) for number, at in enumerate(times)
    ]
    imported = Registration("line", "line", line_id(99), Preferences(), FIRED + HOUR)
    async with service.database.write() as connection:
        for day in range(40):
            await note_running(connection, NOW - (39 - day) * DAY)
        ids = await register_many(connection, service.keys, joined, reason="follow", route=Route.LINE)
        await register_many(connection, service.keys, [imported], reason="import", route=Route.IMPORT)
        number = await make_notice(connection, at=FIRED)
        await make_delivery(connection, [ids[:1]], notice_id=number, at=FIRED)
    return number


async def test_who_joined_within_three_days_is_compared_with_the_weeks_before(
    service: Service, notice_id: int
) -> None:
    async with service.database.read() as connection:
        found = await effect_of(connection, notice_id, FIRED, {"line"}, NOW)
        early = await effect_of(connection, notice_id, FIRED, {"mail"}, NOW)
    assert found.joined.number == 20 and found.joined.verdict == "more"
    assert found.joined.usual == usual([3, 3, 3, 3]) and found.left.verdict == "usual"
    assert (found.until, found.others) == (FIRED + WINDOW, 0)
    assert early.joined.number == 0


async def test_the_page_of_the_notice_says_it_without_blame(kikaku: Visitor, notice_id: int) -> None:
    page = await kikaku.get(f"/console/notices/{notice_id}")
    assert "ご本人による登録 20件 ふだんの72時間は0〜7件。ふだんより多い数です。" in page.text
    assert "理由が、このお知らせとは限りません" in page.text and "まだ途中" not in page.text
