"""The demo's plan: that of the example, whose own counts between the published ones are invented and say so."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands.records import SECTIONS
from content.notices.records import MODELS, Content, RecordKind, add_record
from content.town import Town

PLAN = Path(__file__).parent / "town-plan.toml"
COUNTED = "line_registrations"


async def add_plan(connection: AsyncConnection, town: Town, at: int) -> None:
    for kind, content in _records(town):
        await add_record(connection, kind, content, staff="demo", at=at)


def _records(town: Town) -> list[tuple[RecordKind, Content]]:
    found: list[tuple[RecordKind, Content]] = []
    for section, items in tomllib.loads(PLAN.read_text(encoding="utf-8")).items():
        kind = SECTIONS[section]
        for item in items:
            content = MODELS[kind].model_validate(item)
            if content.key == COUNTED:
                demo = town.indicator[COUNTED]
                content = content.model_copy(
                    update={"invented": demo.invented, "published": demo.published, "unit": demo.unit}
                )
            found.append((kind, content))
    return found
