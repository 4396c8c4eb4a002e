"""The pages of the manual about the town profile and the file of registrations are those that the code makes."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from bot import csv_reference, profile_reference
from bot.profile_reference import TABLES
from content.town import Town

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "made", "command"),
    [
        ("profile.md", profile_reference.reference, "profile"),
        ("subscribers-csv.md", csv_reference.reference, "csv"),
    ],
)
def test_the_page_is_the_one_that_the_code_makes(page: str, made: object, command: str) -> None:
    text = made()  # type: ignore[operator]
    assert (DOCS / page).read_text("utf-8") == text, f"run: kairanban config {command} > docs/{page}"


def test_every_table_of_the_profile_has_its_place_and_nothing_else_is_explained() -> None:
    models = [model for _, _, model, _ in TABLES]
    assert set(_within(Town)) == set(models) and len(models) == len(set(models))
    for _, _, model, meanings in TABLES:
        fields = {field.alias or name for name, field in model.model_fields.items()}
        assert set(meanings) == fields, model.__name__


def _within(model: type[BaseModel]) -> list[type[BaseModel]]:
    found = [model]
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel) and part not in found:
                found += [one for one in _within(part) if one not in found]
    return found
