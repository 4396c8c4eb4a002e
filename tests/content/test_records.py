"""Town records: what staff change on the screen. Taken in once, changed by whoever saw the newest, never lost."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import update

from content.database import Database
from content.notices import records
from content.notices.records import (
    RecordKind,
    add_record,
    change_record,
    find_record,
    take_in_profile,
    town_now,
)
from content.notices.segments import NobodyMatches, Target, audience
from content.town import Segment, SegmentRule, Town
from tests.factories import APRIL_TUESDAY

TODAY = date(2026, 4, 7)
RIVER = Segment(key="river", names={"ja": "川沿い"}, rules=(SegmentRule(field="area", any_of=("funaoka",)),))


async def test_what_the_profile_brings_is_taken_in_once_and_never_overwrites(
    database: Database, town: Town
) -> None:
    brought = len(town.segments) + len(town.templates) + len(town.indicators)
    assert await take_in_profile(database, town, APRIL_TUESDAY) == brought
    changed = town.segment["babies"].model_copy(update={"names": {"ja": "赤ちゃん"}})
    async with database.write() as connection:
        assert await change_record(
            connection, RecordKind.SEGMENT, changed, version=1, staff="tanaka", at=APRIL_TUESDAY
        )
    assert await take_in_profile(database, town, APRIL_TUESDAY) == 0
    async with database.read() as connection:
        seen = await town_now(connection, town)
    assert seen.segment["babies"].name() == "赤ちゃん"
    assert {*seen.segment} == {*town.segment} and {*seen.template} == {*town.template}


async def test_two_people_who_change_one_record_the_second_is_told(database: Database) -> None:
    async with database.write() as connection:
        assert await add_record(connection, RecordKind.SEGMENT, RIVER, staff="tanaka", at=1)
        assert not await add_record(connection, RecordKind.SEGMENT, RIVER, staff="suzuki", at=2)
        mine = RIVER.model_copy(update={"names": {"ja": "川"}})
        assert await change_record(connection, RecordKind.SEGMENT, mine, version=1, staff="tanaka", at=3)
        assert not await change_record(connection, RecordKind.SEGMENT, RIVER, version=1, staff="suzuki", at=4)
        found = await find_record(connection, RecordKind.SEGMENT, "river")
    assert found is not None and (found.version, found.changed_by) == (2, "tanaka")
    assert found.content == mine


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"key": "river", "names": {"ja": "川"}, "rules": "all"}']
)
async def test_a_segment_that_cannot_be_read_matches_nobody(
    database: Database, town: Town, content: str
) -> None:
    async with database.write() as connection:
        await add_record(connection, RecordKind.SEGMENT, RIVER, staff="tanaka", at=1)
        audience(await town_now(connection, town), Target("segment", "river"), "saigai", TODAY)
        await connection.execute(update(records.town_record).values(content=content))
        with pytest.raises(NobodyMatches):
            audience(await town_now(connection, town), Target("segment", "river"), "saigai", TODAY)


async def test_a_segment_whose_rules_were_edited_away_or_that_was_closed_matches_nobody(
    database: Database, town: Town
) -> None:
    async with database.write() as connection:
        await add_record(connection, RecordKind.SEGMENT, RIVER, staff="tanaka", at=1)
        changes: list[dict[str, Any]] = [{"rules": ()}, {"closed": True}]
        for version, change in enumerate(changes, 1):
            await change_record(
                connection,
                RecordKind.SEGMENT,
                RIVER.model_copy(update=change),
                version=version,
                staff="tanaka",
                at=2,
            )
            with pytest.raises(NobodyMatches):
                audience(await town_now(connection, town), Target("segment", "river"), "saigai", TODAY)
