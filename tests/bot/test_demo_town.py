"""The town of the demo is the example, can hold a drill, and sends at once."""

from __future__ import annotations

from pathlib import Path

from bot.demo.stage import DEMO_TOWN
from content.town import load_town
from tests.factories import EXAMPLE


def lines(path: Path) -> list[str]:
    """But for comments, such as accounts that the example only explains."""
    told = path.read_text(encoding="utf-8").splitlines()
    return [line for line in told if line and not line.startswith("#")]


def test_the_town_of_the_demo_is_the_example_but_for_its_drills_and_its_time_to_take_back() -> None:
    own = (
        *("also_carries", "undo_seconds", "quiet_hours", "digest_at", "open_data", "public_performance"),
        *("invented", "published"),
    )
    assert [line for line in lines(DEMO_TOWN) if not line.startswith(own)] == [
        line for line in lines(EXAMPLE) if not line.startswith(own)
    ]
    demo, example = load_town(DEMO_TOWN), load_town(EXAMPLE)
    assert (demo.undo_seconds, example.undo_seconds) == (0, 60)
    assert demo.indicator["line_registrations"].published == ("2023-03",)
    assert [item.invented for item in (*demo.indicators, *example.indicators)] == [True, True, False, False]
    assert (demo.quiet_hours, example.quiet_hours) == ("none", "21-7")


def test_every_account_of_the_demo_carries_drills_and_none_carries_tests() -> None:
    town = load_town(DEMO_TOWN)
    assert all(account.carries("drill") and not account.carries("test") for account in town.accounts)
