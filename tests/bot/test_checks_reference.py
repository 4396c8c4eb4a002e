"""The page of the checks in the manual and the checks agree."""

import ast
from pathlib import Path

import pytest

from bot.checks_reference import reference
from content.check_rules import CHECKS, CheckRules, Level

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "checks.md"


def test_the_page_is_the_one_the_checks_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run: kairanban config checks > docs/checks.md"


def test_every_code_is_found_by_some_check_and_no_check_finds_another() -> None:
    said = set()
    for path in [*(ROOT / "content" / "notices" / "checks").glob("*.py"), ROOT / "scheduler" / "checks.py"]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not [code for code in CHECKS if code not in said]


def test_a_town_gives_a_check_another_level_or_turns_it_off() -> None:
    rules = CheckRules.model_validate({"levels": {"night": "warning", "phone": "off"}})
    assert rules.level_of("night") == Level.WARNING
    assert rules.level_of("phone") is None
    assert rules.level_of("weekday") == Level.WARNING


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"nigth": "warning"}, "no such check"),
        ({"everyone": "off"}, "is fixed"),
        ({"hidden-character": "note"}, "is fixed"),
        ({"night": "loud"}, "night"),
    ],
)
def test_what_a_town_cannot_decide_is_refused_by_name(levels: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CheckRules.model_validate({"levels": levels})
