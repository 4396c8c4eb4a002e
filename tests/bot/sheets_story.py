"""Three towns' plans in a database, as `records import` brings them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from bot.commands.records import SECTIONS
from bot.service import Service
from content.figures.plans import with_items
from content.notices.records import MODELS, RecordKind, add_record
from content.plans.checks import Item, Plans
from tests.factories import APRIL_TUESDAY

PLANS = Path(__file__).parents[2] / "examples" / "plans"


def example(name: str) -> list[tuple[RecordKind, Item]]:
    """(kind, content) of every record of an example."""
    sections = tomllib.loads((PLANS / f"{name}.toml").read_text(encoding="utf-8"))
    found = []
    for section, items in sections.items():
        kind = SECTIONS[section]
        for item in items:
            content = MODELS[kind].model_validate(item)
            assert isinstance(content, Item)
            found.append((kind, content))
    return found


def plans_of(name: str) -> Plans:
    return with_items(Plans(), [item for _, item in example(name)])


async def bring(service: Service, name: str) -> None:
    async with service.database.write() as connection:
        for kind, content in example(name):
            assert await add_record(connection, kind, content, staff="file", at=APRIL_TUESDAY)
