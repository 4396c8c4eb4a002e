"""The settings page of the manual and the settings agree."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import Settings
from bot.settings_reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_settings_page_is_the_one_the_settings_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "run: kairanban config reference > docs/settings.md"
    )


def test_every_setting_says_what_it_means() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `KAIRANBAN_")]
    assert rows
    assert all(line.split("|")[3].strip() for line in rows)


def test_a_misspelt_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIRANBAN_LINE__CHANEL_TOKEN", "x")
    with pytest.raises(ValidationError, match="chanel_token"):
        Settings(town=Path("town.toml"))
