"""Town records (町の記録): what staff change on the screen, such as segments and templates; and how a town is seen with them.

The profile's own are taken in when they are met for the first time; from there the record counts. None is ever
deleted, only closed, so that no key comes back with another meaning.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Table, Text, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database, insert_unless_known, metadata, one_of
from content.notices.calendars import WordCalendar
from content.notices.faq import FaqEntry
from content.notices.shelters import Shelter
from content.plans.models import Count, Plan, PlanIndicator, Policy, Remark
from content.plans.sheets import Sheet
from content.plans.values import Value
from content.register.town_groups import made_groups
from content.town import Indicator, Segment, Template, Town


class RecordKind(StrEnum):
    SEGMENT = "segment"
    TEMPLATE = "template"
    CALENDAR = "calendar"
    FAQ = "faq"
    SHELTER = "shelter"
    PLAN = "plan"
    POLICY = "policy"
    INDICATOR = "indicator"
    SHEET = "sheet"


Content = Segment | Template | WordCalendar | FaqEntry | Shelter | Plan | Policy | PlanIndicator | Sheet
MODELS: dict[RecordKind, type[Content]] = {
    RecordKind.SEGMENT: Segment,
    RecordKind.TEMPLATE: Template,
    RecordKind.CALENDAR: WordCalendar,
    RecordKind.FAQ: FaqEntry,
    RecordKind.SHELTER: Shelter,
    RecordKind.PLAN: Plan,
    RecordKind.POLICY: Policy,
    RecordKind.INDICATOR: PlanIndicator,
    RecordKind.SHEET: Sheet,
}
# Nobody has changed it since it came from the profile.
PROFILE = "profile"

town_record = Table(
    "town_record",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    CheckConstraint(one_of("kind", RecordKind), name="kind"),
)


@dataclass(frozen=True, slots=True)
class TownRecord:
    """`content` is None when what stands in the row cannot be read: such a segment matches nobody."""

    kind: RecordKind
    key: str
    content: Any
    version: int
    changed_by: str
    changed_at: int


async def find_record(connection: AsyncConnection, kind: RecordKind, key: str) -> TownRecord | None:
    rows = (
        await connection.execute(
            select(town_record).where(town_record.c.kind == kind, town_record.c.key == key)
        )
    ).all()
    return _record(rows[0]) if rows else None


async def all_records(connection: AsyncConnection, kind: RecordKind | None = None) -> list[TownRecord]:
    """In the order of their keys."""
    statement = select(town_record).order_by(town_record.c.kind, town_record.c.key)
    if kind is not None:
        statement = statement.where(town_record.c.kind == kind)
    return [_record(row) for row in (await connection.execute(statement)).all()]


async def add_record(
    connection: AsyncConnection, kind: RecordKind, content: Content, *, staff: str, at: int
) -> bool:
    """False when the key is taken."""
    key = await connection.scalar(
        insert_unless_known(connection, town_record)
        .values(
            kind=kind, key=content.key, content=_written(content), version=1, changed_by=staff, changed_at=at
        )
        .on_conflict_do_nothing(index_elements=["kind", "key"])
        .returning(town_record.c.key)
    )
    return key is not None


async def change_record(
    connection: AsyncConnection, kind: RecordKind, content: Content, *, version: int, staff: str, at: int
) -> bool:
    """False when it is not at this version any more: somebody else has changed it meanwhile."""
    changed = await connection.execute(
        update(town_record)
        .where(town_record.c.kind == kind, town_record.c.key == content.key, town_record.c.version == version)
        .values(content=_written(content), version=version + 1, changed_by=staff, changed_at=at)
    )
    return bool(changed.rowcount)


async def take_in_profile(database: Database, town: Town, at: int) -> int:
    """Make records of what the profile brings and no record has yet; how many. Nothing is overwritten."""
    async with database.read() as connection:
        known = {(item.kind, item.key) for item in await all_records(connection)}
    brought: list[tuple[RecordKind, Content]] = [(RecordKind.SEGMENT, item) for item in town.segments]
    brought += [(RecordKind.TEMPLATE, item) for item in town.templates]
    brought += [(RecordKind.INDICATOR, _of_profile(item)) for item in town.indicators]
    new = [(kind, item) for kind, item in brought if (kind, item.key) not in known]
    if not new:
        return 0
    async with database.write() as connection:
        return sum([await add_record(connection, kind, item, staff=PROFILE, at=at) for kind, item in new])


async def town_now(connection: AsyncConnection, town: Town) -> Town:
    """The town with the segments, templates and groups of this moment."""
    rows = await connection.execute(
        select(town_record)
        .where(town_record.c.kind.in_([RecordKind.SEGMENT, RecordKind.TEMPLATE]))
        .order_by(town_record.c.key)
    )
    records = [_record(row) for row in rows]
    segments, templates = dict(town.segment), dict(town.template)
    for item in records:
        if item.kind == RecordKind.SEGMENT:
            segments[item.key] = item.content or _unreadable(item.key)
        elif item.content is not None:
            templates[item.key] = item.content
        else:
            templates.pop(item.key, None)
    made = await made_groups(connection)
    if not records and not made:
        return town
    fields = {name: getattr(town, name) for name in type(town).model_fields}
    # Constructed, since a copy would keep what the town has looked up before.
    return Town.model_construct(
        **fields
        | {
            "segments": tuple(segments.values()),
            "templates": tuple(templates.values()),
            "groups": (*town.groups, *(item for item in made if item.key not in town.group)),
        }
    )


def _of_profile(item: Indicator) -> PlanIndicator:
    return PlanIndicator(
        key=item.key,
        name=item.name,
        unit=item.unit,
        definition=item.definition,
        count=Count(channels=item.channels),
        targets={year: Value(text=f"{number:,}") for year, number in item.targets.items()},
        remarks=tuple(Remark(month=note.month, text=note.text) for note in item.annotations),
        invented=item.invented,
        published=item.published,
    )


def _unreadable(key: str) -> Segment:
    return Segment(key=key, names={"ja": key}, closed=True)


def _record(row: Any) -> TownRecord:
    kind = RecordKind(row.kind)
    try:
        content: Content | None = MODELS[kind].model_validate_json(row.content)
    except ValidationError:
        content = None
    return TownRecord(kind, row.key, content, row.version, row.changed_by, row.changed_at)


def _written(content: Content) -> str:
    return json.dumps(content.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
