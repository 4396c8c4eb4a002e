"""From a fired notice to batches: everybody who is meant stands in exactly one of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from content.clock import now_ms
from content.database import Database
from content.keys import Keys
from content.ledger import deliveries
from content.ledger.recipients import unpack
from content.ledger.tallies import progress_state
from content.notices.segments import Target
from content.register.registration import Registration, register_many
from content.register.subscriber_changes import change_preferences, leave
from content.register.subscribers import Preferences
from content.town import Town
from scheduler import fanout
from scheduler.fanout import plan_next, plan_slice
from scheduler.triggers import fire_due
from tests.factories import create_town, line_id
from tests.scheduler.scripted import (
    Fresh,
    Script,
    Stage,
    another_process,
    deliveries_of,
    fire,
    get_notice,
    make_stage,
    plan_all,
    rows_of,
    run_sql,
    tally_of,
)

THREE = {
    "ja": ("大雨", "避難してください。"),
    "ja-easy": ("おおあめ", "にげてください。"),
    "en": ("Heavy rain", "Leave now."),
}
EVERYONE = Target("everyone")


async def register(stage: Stage, languages: Sequence[str], channel: str = "line", **chosen: Any) -> list[int]:
    """One registration per language, all having chosen 子育て unless told otherwise."""
    chosen = {"categories": frozenset({"kosodate"}), **chosen}
    registrations = [
        Registration(channel, channel, _address(channel, n), Preferences(language=one, **chosen), now_ms())
        for n, one in enumerate(languages)
    ]
    async with stage.database.write() as connection:
        return await register_many(connection, stage.context.keys, registrations, reason="import")


def _address(channel: str, number: int) -> str:
    return line_id(now_ms() * 100_000 + number) if channel == "line" else f"{number}.{now_ms()}@example.jp"


async def batches_of(stage: Stage, delivery_id: int) -> list[tuple[str, list[int]]]:
    """(language, recipients) of each batch."""
    return [(row.language, unpack(row.recipients)) for row in await rows_of(stage.database, delivery_id)]


async def planned_ids(stage: Stage, delivery_id: int) -> list[int]:
    return sorted(one for _, ids in await batches_of(stage, delivery_id) for one in ids)


async def state_of(stage: Stage, delivery_id: int) -> str:
    async with stage.database.read() as connection:
        return (await connection.run_sync(deliveries.get_delivery, delivery_id)).state


async def test_each_reads_the_notice_in_their_own_language(stage: Stage) -> None:
    ja, easy, en, other = await register(stage, ["ja", "ja-easy", "en", "pt"])
    delivery_id = (await fire(stage, texts=THREE))["line"]
    await plan_all(stage)
    assert dict(await batches_of(stage, delivery_id)) == {"ja": [ja, other], "ja-easy": [easy], "en": [en]}
    assert await state_of(stage, delivery_id) == "planned"


async def test_who_reads_a_language_the_notice_lacks_gets_it_in_japanese(stage: Stage) -> None:
    ids = await register(stage, ["en", "ja", "ja-easy"])
    delivery_id = (await fire(stage))["line"]
    await plan_all(stage)
    by_language = await batches_of(stage, delivery_id)
    assert {language for language, _ in by_language} == {"ja"}
    assert await planned_ids(stage, delivery_id) == ids


async def test_no_batch_is_larger_than_the_channel_takes(town: Town, database: Database, keys: Keys) -> None:
    stage = make_stage(town, database, keys, line=Script(batch_size=3))
    await register(stage, ["ja"] * 8)
    delivery_id = (await fire(stage))["line"]
    await plan_all(stage)
    assert [len(ids) for _, ids in await batches_of(stage, delivery_id)] == [3, 3, 2]


async def test_every_batch_has_its_number_and_a_retry_key_of_its_own(stage: Stage) -> None:
    await register(stage, ["ja", "en"] * 4)
    delivery_id = (await fire(stage, texts=THREE))["line"]
    await plan_all(stage)
    rows = await rows_of(stage.database, delivery_id)
    assert [row.seq for row in rows] == list(range(len(rows)))
    assert len({row.retry_key for row in rows}) == len(rows)
    assert sum(row.size for row in rows) == (await tally_of(stage.database, delivery_id)).planned == 8


async def test_only_who_chose_the_category_and_is_still_registered_is_meant(stage: Stage) -> None:
    chose, left = await register(stage, ["ja", "ja"])
    await register(stage, ["ja"], categories=frozenset({"event"}))
    async with stage.database.write() as connection:
        await leave(connection, left, reason="stopped", at=now_ms())
    delivery_id = (await fire(stage))["line"]
    await plan_all(stage)
    assert await planned_ids(stage, delivery_id) == [chose]


async def test_a_group_gets_its_notice_whatever_category_its_members_chose(stage: Stage) -> None:
    await register(stage, ["ja"] * 2)
    members = await register(stage, ["ja"] * 3, categories=frozenset(), groups=frozenset({"kucho"}))
    delivery_id = (await fire(stage, target=Target("group", "kucho")))["line"]
    await plan_all(stage)
    assert await planned_ids(stage, delivery_id) == members


async def test_a_notice_to_everyone_goes_by_one_broadcast_that_names_all_registrations(stage: Stage) -> None:
    ids = await register(stage, ["ja", "en", "ja-easy", "ja"], categories=frozenset())
    delivery_id = (await fire(stage, texts=THREE, target=EVERYONE))["line"]
    await plan_all(stage)
    (row,) = await rows_of(stage.database, delivery_id)
    assert (row.kind, row.size, unpack(row.recipients)) == ("broadcast", 4, ids)


async def test_a_notice_to_everyone_goes_by_list_where_the_town_did_not_choose_broadcast(
    sqlite_database: Database, keys: Keys
) -> None:
    town = create_town(accounts=[{"key": "line", "channel": "line"}])
    stage = make_stage(town, sqlite_database, keys)
    await register(stage, ["ja"] * 3, categories=frozenset())
    delivery_id = (await fire(stage, target=EVERYONE))["line"]
    await plan_all(stage)
    assert [row.kind for row in await rows_of(sqlite_database, delivery_id)] == ["list", "list"]


async def test_a_notice_to_everyone_is_not_broadcast_on_a_channel_that_cannot(
    sqlite_database: Database, keys: Keys
) -> None:
    accounts = [{"key": "mail", "channel": "mail", "everyone": "broadcast"}]
    stage = make_stage(create_town(accounts=accounts), sqlite_database, keys)
    await register(stage, ["ja"] * 2, channel="mail")
    delivery_id = (await fire(stage, target=EVERYONE, channels=("mail",)))["mail"]
    await plan_all(stage)
    assert [row.kind for row in await rows_of(sqlite_database, delivery_id)] == ["list"]


@pytest.mark.parametrize("target", [Target(), EVERYONE], ids=lambda target: target.kind)
async def test_when_nobody_matches_the_delivery_is_planned_with_nobody(stage: Stage, target: Target) -> None:
    ids = await fire(stage, target=target)
    await plan_all(stage)
    found = await tally_of(stage.database, ids["line"])
    assert (found.state, found.planned, found.open) == ("planned", 0, 0)


async def test_a_notice_for_nobody_says_so(small_stage: Stage) -> None:
    notice_id = await small_stage.notice()
    await fire_due(small_stage.context)
    await plan_all(small_stage)
    opened = await deliveries_of(small_stage.database, notice_id)
    found = await tally_of(small_stage.database, opened["line"].id)
    assert progress_state(await get_notice(small_stage.database, notice_id), [found]) == "nobody"


async def test_each_account_gets_its_own_registrations(stage: Stage) -> None:
    line = await register(stage, ["ja"] * 3)
    mail = await register(stage, ["ja"] * 2, channel="mail")
    ids = await fire(stage, channels=("line", "mail"))
    await plan_all(stage)
    assert await planned_ids(stage, ids["line"]) == line
    assert await planned_ids(stage, ids["mail"]) == mail


async def test_planning_that_broke_off_between_slices_skips_nobody_and_doubles_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 3)
    ids = await register(stage, ["ja", "en", "ja-easy", "ja", "ja"] * 4)
    delivery_id = (await fire(stage, texts=THREE))["line"]
    for _ in range(4):
        assert await plan_slice(stage.context, delivery_id)
    assert 0 < len(await planned_ids(stage, delivery_id)) < len(ids)
    async with another_process(stage) as again:
        await plan_all(again)
    assert await planned_ids(stage, delivery_id) == ids
    assert await state_of(stage, delivery_id) == "planned"


async def test_a_slice_that_could_not_be_written_leaves_nothing_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 3)
    ids = await register(stage, ["ja"] * 8)
    delivery_id = (await fire(stage))["line"]
    assert await plan_slice(stage.context, delivery_id)
    await run_sql(stage.database, "ALTER TABLE batch RENAME TO batch_away")
    try:
        with pytest.raises(Exception, match="batch"):
            await plan_slice(stage.context, delivery_id)
        assert await plan_next(stage.context) == 0
    finally:
        await run_sql(stage.database, "ALTER TABLE batch_away RENAME TO batch")
    await plan_all(stage)
    assert await planned_ids(stage, delivery_id) == ids


async def test_two_planners_at_once_plan_everybody_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 4)
    ids = await register(stage, ["ja", "en"] * 15)
    deliveries = [(await fire(stage, texts=THREE))["line"] for _ in range(3)]
    async with another_process(stage) as other:
        while not all([await state_of(stage, one) == "planned" for one in deliveries]):
            await asyncio.gather(plan_next(stage.context), plan_next(other.context), plan_next(other.context))
    for delivery_id in deliveries:
        assert await planned_ids(stage, delivery_id) == ids
        rows = await rows_of(stage.database, delivery_id)
        assert [row.seq for row in rows] == list(range(len(rows)))


async def test_who_changes_language_while_planning_goes_on_stands_in_one_batch(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 2)
    ids = await register(stage, ["ja", "en", "ja", "en", "ja", "en"])
    delivery_id = (await fire(stage, texts=THREE))["line"]
    assert await plan_slice(stage.context, delivery_id)
    async with stage.database.write() as connection:
        for subscriber_id, language in zip(ids, ["en", "ja"] * 3, strict=True):
            changed = Preferences(categories=frozenset({"kosodate"}), language=language)
            await change_preferences(connection, subscriber_id, changed, reason="form", at=now_ms())
    await plan_all(stage)
    assert await planned_ids(stage, delivery_id) == ids


async def test_who_left_and_came_back_while_planning_goes_on_stands_in_one_batch(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 2)
    ids = await register(stage, ["ja"] * 4)
    delivery_id = (await fire(stage))["line"]
    assert await plan_slice(stage.context, delivery_id)
    async with stage.database.write() as connection:
        await leave(connection, ids[0], reason="stopped", at=now_ms())
        await connection.execute(
            text("UPDATE subscriber SET state = 'active' WHERE id = :id"), {"id": ids[0]}
        )
    await plan_all(stage)
    assert await planned_ids(stage, delivery_id) == ids


async def test_an_urgent_notice_is_planned_before_the_rest_of_a_half_planned_routine_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 2)
    ids = await register(stage, ["ja"] * 7)
    routine = (await fire(stage))["line"]
    assert await plan_next(stage.context) == 1
    urgent = (await fire(stage, urgency="urgent"))["line"]
    while await state_of(stage, urgent) == "planning":
        half_planned = await planned_ids(stage, routine)
        assert await plan_next(stage.context) == 1
    assert await planned_ids(stage, urgent) == ids
    assert half_planned == ids[:2]
    await plan_all(stage)
    assert await planned_ids(stage, routine) == ids


async def test_a_delivery_that_cannot_be_planned_does_not_stop_the_others(stage: Stage) -> None:
    ids = await register(stage, ["ja"] * 3)
    broken = await stage.notice(urgency="urgent")
    await fire_due(stage.context)
    await run_sql(stage.database, "UPDATE notice_version SET texts = '{' WHERE notice_id = :id", id=broken)
    fine = (await fire(stage))["line"]
    await plan_all(stage)
    assert await planned_ids(stage, fine) == ids
    assert await state_of(stage, fine) == "planned"


REGISTER = st.lists(
    st.tuples(
        st.sampled_from(["ja", "ja", "ja-easy", "en", "pt"]),
        st.sampled_from(["line", "line", "mail"]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=REGISTER,
    languages=st.sampled_from([("ja",), ("ja", "en"), ("ja", "ja-easy", "en")]),
    batch_size=st.integers(1, 5),
    slice_size=st.integers(1, 7),
)
async def test_everybody_who_is_meant_stands_in_exactly_one_batch_of_their_language(
    fresh_database: Fresh,
    town: Town,
    keys: Keys,
    people: list[tuple[str, str, bool, bool]],
    languages: tuple[str, ...],
    batch_size: int,
    slice_size: int,
) -> None:
    database = await fresh_database()
    stage = make_stage(town, database, keys, line=Script(batch_size=batch_size))
    registrations = [
        Registration(
            channel,
            channel,
            line_id(n) if channel == "line" else f"p{n}@example.jp",
            Preferences(categories=frozenset({"kosodate"} if chose else {"event"}), language=language),
            now_ms(),
            left_at=now_ms() if gone else None,
        )
        for n, (language, channel, chose, gone) in enumerate(people)
    ]
    async with database.write() as connection:
        ids = await register_many(connection, keys, registrations, reason="import")
    meant = {
        number: person[0] if person[0] in languages else "ja"
        for number, person in zip(ids, people, strict=True)
        if person[1:] == ("line", True, False)
    }
    texts = {language: THREE[language] for language in languages}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fanout, "SLICE", slice_size)
        delivery_id = (await fire(stage, texts=texts))["line"]
        await plan_all(stage)
    batches = await batches_of(stage, delivery_id)
    assert all(0 < len(part) <= batch_size for _, part in batches)
    assert Counter(one for _, part in batches for one in part) == Counter(meant.keys())
    assert {one: language for language, part in batches for one in part} == meant
    await database.close()
