"""From words to an approved notice: every bad input is refused by name, and then nothing is stored."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from content.clock import DAY, MINUTE, now_ms
from content.database import Database
from content.keys import Keys
from content.notices import notices
from content.notices.notices import NoticeSpec
from content.notices.segments import Target
from content.staff.audit import audit_entry
from scheduler import checks, notice_service, town_context
from scheduler.checks import NoticeRefused
from scheduler.examination import examine_notice
from scheduler.impact import measure_impact
from scheduler.triggers import fire_due
from tests.factories import create_town, make_subscriber, segment, spec
from tests.scheduler.outside import Outside, register
from tests.scheduler.scripted import Stage, count, fire, get_notice, make_stage, plan_all, tally_of

CATEGORIES: list[dict[str, Any]] = [
    {"key": "kosodate", "names": {"ja": "子育て"}},
    {"key": "old", "names": {"ja": "むかしの分野"}, "closed": True},
]
SEGMENTS = [
    segment({"field": "area", "any_of": ["funaoka"]}, key="funaoka"),
    segment(key="empty"),
    segment({"field": "area", "any_of": ["funaoka"]}, key="ended", closed=True),
    segment({"field": "area", "any_of": ["atlantis"]}, key="elsewhere"),
]
ACCOUNTS = [
    {"key": "line", "channel": "line"},
    {"key": "mail", "channel": "mail", "also_carries": ["test"]},
    {"key": "drills", "channel": "mail", "mode": "drill"},
]


@pytest.fixture
def town_stage(sqlite_database: Database, keys: Keys, outside: Outside) -> Stage:
    """A town with closed and empty things in its profile, and the real channels' rendering."""
    town = create_town(categories=CATEGORIES, segments=SEGMENTS, accounts=ACCOUNTS, templates=[])
    return Stage(outside.context(town, sqlite_database, keys), {})


def words(title: str = "件名", body: str = "本文") -> dict[str, tuple[str, str]]:
    return {"ja": (title, body)}


HALF_PAIRS = "🌸" * 2_500  # 5,000 UTF-16 units

BAD: list[Any] = [
    pytest.param("title", {"texts": words(title="")}, id="no title"),
    pytest.param("title", {"texts": words(title=" \u3000\n")}, id="blank title"),
    pytest.param("title", {"texts": words(title="あ" * 1_001)}, id="title too long"),
    pytest.param("body", {"texts": words(body="")}, id="no body"),
    pytest.param("body", {"texts": words(body="\u3000\n")}, id="blank body"),
    pytest.param("body", {"texts": words(body="あ" * 5_001)}, id="body too long"),
    pytest.param(
        "body", {"texts": words(body=HALF_PAIRS + "。")}, id="body too long for LINE's way to count"
    ),
    pytest.param("title", {"texts": words() | {"en": ("", "Text")}}, id="no English title"),
    pytest.param("body", {"texts": words() | {"en": ("Title", " ")}}, id="no English body"),
    pytest.param("title", {"texts": {"en": ("Title", "Text")}}, id="no Japanese"),
    pytest.param("at", {"at": now_ms() - MINUTE}, id="time has passed"),
    pytest.param("channels", {"channels": ("fax",)}, id="unknown channel"),
    pytest.param("channels", {"channels": ("line", "webhook")}, id="a channel without an account"),
    pytest.param("channels", {"channels": ()}, id="no channel"),
    pytest.param("mode", {"mode": "drill"}, id="drill on a live account"),
    pytest.param("mode", {"mode": "drill", "channels": ("line", "mail")}, id="drill on one live account"),
    pytest.param("mode", {"mode": "test"}, id="test on a live account"),
    pytest.param(
        "mode", {"mode": "test", "channels": ("mail",)}, id="test to residents, whatever carries it"
    ),
    pytest.param("mode", {"mode": "rehearsal"}, id="unknown mode"),
    pytest.param("urgency", {"urgency": "whenever"}, id="unknown urgency"),
    pytest.param("category", {"category": "old"}, id="closed category"),
    pytest.param("category", {"category": "unheard"}, id="unknown category"),
    pytest.param("segment", {"target": Target("segment", "empty")}, id="segment without rules"),
    pytest.param("segment", {"target": Target("segment", "ended")}, id="closed segment"),
    pytest.param("segment", {"target": Target("segment", "elsewhere")}, id="segment of an unknown area"),
    pytest.param("segment", {"target": Target("segment", "")}, id="no segment"),
    pytest.param("segment", {"target": Target("segment", "unheard")}, id="unknown segment"),
    pytest.param("group", {"target": Target("group", "unheard")}, id="unknown group"),
    pytest.param("target", {"target": Target("all", "")}, id="unknown kind of target"),
    pytest.param("target", {"target": Target("", "")}, id="no target"),
]


@pytest.mark.parametrize(("field", "changes"), BAD)
async def test_a_bad_input_is_refused_by_name_and_nothing_is_stored(
    town_stage: Stage, field: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await notice_service.store(
            town_stage.context, spec(**changes), submission_key="form-1", staff="tanaka"
        )
    assert {problem.field for problem in refused.value.problems} == {field}
    assert all(problem.message for problem in refused.value.problems)
    for table in (notices.notice, notices.notice_version, notices.trigger, audit_entry):
        assert await count(town_stage.database, table) == 0


GOOD: list[Any] = [
    pytest.param({}, id="plain"),
    pytest.param({"texts": words(body="あ" * 5_000)}, id="longest body"),
    pytest.param({"texts": words(body=HALF_PAIRS)}, id="longest body in pairs"),
    pytest.param({"texts": words(title="あ" * 1_000)}, id="longest title"),
    pytest.param({"at": now_ms() + 60 * MINUTE}, id="an hour ahead"),
    pytest.param({"mode": "drill", "channels": ("mail",)}, id="drill on its own account"),
    pytest.param({"target": Target("segment", "funaoka")}, id="segment"),
    pytest.param({"target": Target("group", "kucho")}, id="group"),
    pytest.param({"target": Target("everyone")}, id="everyone"),
    pytest.param({"urgency": "urgent", "channels": ("line", "mail")}, id="urgent on both"),
]


@pytest.mark.parametrize("changes", GOOD)
async def test_a_good_input_is_stored_as_it_was_written(town_stage: Stage, changes: dict[str, Any]) -> None:
    wanted = spec(**changes)
    notice_id, created = await notice_service.store(
        town_stage.context, wanted, submission_key="form-1", staff="tanaka"
    )
    assert created
    stored = await get_notice(town_stage.database, notice_id)
    assert (stored.state, stored.spec, stored.created_by) == ("draft", wanted, "tanaka")


async def test_several_bad_inputs_are_named_at_once(town_stage: Stage) -> None:
    bad = spec(texts=words(title=""), category="old", mode="drill", urgency="?")
    fields = {problem.field for problem in checks.find_problems(town_stage.context, bad)}
    assert fields == {"title", "category", "mode", "urgency"}


@pytest.mark.parametrize(
    ("title", "body", "field", "message"),
    [
        ("\u200b", "本文", "title", "件名の1行目(先頭)に、画面に見えない文字(U+200B)があります。"),
        (
            "件名",
            "1行目\n避難\u202eしない",
            "body",
            "本文の2行目(「1行目避難」の後)に、画面に見えない文字(U+202E)",
        ),
        ("\u3164", "本文", "title", "件名に見える文字がありません。"),
        ("件名", "\u2800\n\u2800", "body", "本文に見える文字がありません。"),
    ],
)
async def test_what_no_reader_sees_is_refused_with_its_field_and_its_place(
    town_stage: Stage, title: str, body: str, field: str, message: str
) -> None:
    (problem,) = checks.find_problems(town_stage.context, spec(texts={"ja": (title, body)}))
    assert (problem.field, problem.language) == (field, "ja")
    assert problem.message.startswith(message)


async def test_the_moment_itself_is_not_past(town_stage: Stage) -> None:
    assert checks.find_problems(town_stage.context, spec(at=1_000), now=1_000) == []
    assert [one.field for one in checks.find_problems(town_stage.context, spec(at=999), now=1_000)] == ["at"]


async def test_a_drill_goes_through_the_account_made_for_drills(town_stage: Stage) -> None:
    context = town_stage.context
    assert town_context.chosen_accounts(context, spec(mode="drill", channels=("mail",))) == {"drills": "mail"}
    own = spec(mode="test", channels=("mail",), target=Target("oneself", "1"))
    assert town_context.chosen_accounts(context, own) == {"mail": "mail"}
    assert town_context.chosen_accounts(context, spec(channels=("line", "mail"))) == {
        "line": "line",
        "mail": "mail",
    }
    assert town_context.chosen_accounts(context, spec(mode="drill", channels=("line",))) == {}


async def test_the_same_form_sent_twice_is_one_notice(stage: Stage) -> None:
    first = await notice_service.store(stage.context, spec(), submission_key="form-1", staff="tanaka")
    second = await notice_service.store(stage.context, spec(), submission_key="form-1", staff="tanaka")
    other = await notice_service.store(stage.context, spec(), submission_key="form-2", staff="tanaka")
    assert second == (first[0], False)
    assert other[1] and other[0] != first[0]
    assert await count(stage.database, notices.notice) == 2
    assert await count(stage.database, audit_entry) == 2


async def test_the_same_form_sent_many_times_at_once_is_one_notice(stage: Stage) -> None:
    stored = await asyncio.gather(
        *(
            notice_service.store(stage.context, spec(), submission_key="form-1", staff="tanaka")
            for _ in range(8)
        )
    )
    assert len({notice_id for notice_id, _ in stored}) == 1
    assert sum(created for _, created in stored) == 1
    assert await count(stage.database, notices.notice) == 1


async def store(stage: Stage, wanted: NoticeSpec | None = None) -> int:
    notice_id, _ = await notice_service.store(
        stage.context, wanted or spec(), submission_key=f"form-{now_ms()}", staff="tanaka"
    )
    return notice_id


async def somebody(stage: Stage) -> None:
    """One registration that chose 子育て."""
    async with stage.database.write() as connection:
        await make_subscriber(connection, stage.context.keys)


async def test_what_would_reach_nobody_is_refused_and_may_be_booked(small_stage: Stage) -> None:
    context, at_once = small_stage.context, spec()
    with pytest.raises(NoticeRefused) as refused:
        await notice_service.post(context, at_once, submission_key="a", staff="tanaka", accepted=["nobody"])
    assert [problem.code for problem in refused.value.problems] == ["nobody"]
    notice_id = await store(small_stage)
    with pytest.raises(NoticeRefused):
        await notice_service.approve(context, notice_id, staff="tanaka")
    booked = replace(at_once, at=now_ms() + DAY)
    assert await notice_service.post(
        context, booked, submission_key="b", staff="tanaka", accepted=["night-booking"]
    )


async def test_a_notice_is_approved_once_however_many_press_the_button(stage: Stage) -> None:
    await somebody(stage)
    notice_id = await store(stage)
    approved = await asyncio.gather(
        *(notice_service.approve(stage.context, notice_id, staff=f"staff-{n}") for n in range(6))
    )
    assert sum(approved) == 1
    assert not await notice_service.approve(stage.context, notice_id, staff="late")
    assert await fire_due(stage.context) == 1
    assert await count(stage.database, audit_entry) == 2


async def test_a_notice_that_somebody_approves_meanwhile_is_no_repetition_of_itself(
    small_stage: Stage,
) -> None:
    await somebody(small_stage)
    notice_id = await store(small_stage)
    assert await notice_service.approve(small_stage.context, notice_id, staff="tanaka")
    words = (await get_notice(small_stage.database, notice_id)).spec
    another = await examine_notice(small_stage.context, words)
    itself = await examine_notice(small_stage.context, words, notice_id=notice_id)
    assert "repeated" in [item.code for item in another.findings]
    assert "repeated" not in [item.code for item in itself.findings]


async def test_approving_what_is_not_there_is_an_error(small_stage: Stage) -> None:
    with pytest.raises(LookupError):
        await notice_service.approve(small_stage.context, 4711, staff="tanaka")


async def test_a_draft_that_the_town_has_made_impossible_since_is_not_approved(
    sqlite_database: Database, keys: Keys
) -> None:
    before = make_stage(create_town(categories=CATEGORIES, templates=[]), sqlite_database, keys)
    notice_id = await store(before)
    closed = [CATEGORIES[0] | {"closed": True}]
    after = make_stage(create_town(categories=closed, templates=[]), sqlite_database, keys)
    with pytest.raises(NoticeRefused) as refused:
        await notice_service.approve(after.context, notice_id, staff="suzuki")
    assert [problem.field for problem in refused.value.problems] == ["category"]
    assert (await get_notice(sqlite_database, notice_id)).state == "draft"


async def test_a_draft_whose_time_has_passed_is_not_approved(small_stage: Stage) -> None:
    notice_id = await small_stage.notice(approved=False, at=now_ms() - 1)
    with pytest.raises(NoticeRefused) as refused:
        await notice_service.approve(small_stage.context, notice_id, staff="suzuki")
    assert [problem.field for problem in refused.value.problems] == ["at"]


async def test_a_draft_is_revised_and_an_approved_notice_is_not(small_stage: Stage) -> None:
    await somebody(small_stage)
    context, notice_id = small_stage.context, await store(small_stage)
    assert await notice_service.revise(context, notice_id, spec(texts=words("新しい件名")), staff="suzuki")
    assert await notice_service.approve(context, notice_id, staff="suzuki", accepted=["too-short"])
    assert not await notice_service.revise(context, notice_id, spec(texts=words("遅い件名")), staff="suzuki")
    assert (await notice_service.find(context, notice_id)).title == "新しい件名"


async def test_a_bad_revision_changes_nothing(small_stage: Stage) -> None:
    context, notice_id = small_stage.context, await store(small_stage)
    with pytest.raises(NoticeRefused):
        await notice_service.revise(context, notice_id, spec(texts=words(title="")), staff="suzuki")
    assert (await notice_service.find(context, notice_id)).title == spec().texts["ja"][0]


async def test_what_is_cancelled_never_goes_out_and_what_went_out_is_not_cancelled(stage: Stage) -> None:
    cancelled = await stage.notice()
    assert await notice_service.cancel(stage.context, cancelled, staff="tanaka")
    assert await fire_due(stage.context) == 0
    assert (await notice_service.status(stage.context, cancelled)).state == "cancelled"
    gone = await stage.notice()
    assert await fire_due(stage.context) == 1
    assert not await notice_service.cancel(stage.context, gone, staff="tanaka")
    assert (await notice_service.status(stage.context, gone)).state == "planning"


async def test_cancelling_and_firing_at_once_leave_one_of_the_two(stage: Stage) -> None:
    for _ in range(5):
        notice_id = await stage.notice()
        fired, cancelled = await asyncio.gather(
            fire_due(stage.context), notice_service.cancel(stage.context, notice_id, staff="tanaka")
        )
        assert fired + cancelled == 1
        found = await get_notice(stage.database, notice_id)
        assert (found.state, found.trigger_state) == (
            ("cancelled", "cancelled") if cancelled else ("approved", "fired")
        )


async def test_the_impact_counts_registrations_and_shows_the_words(real: Stage) -> None:
    await register(real.database, real.context.keys, "line", [f"U{number:032x}" for number in range(3)])
    await register(real.database, real.context.keys, "mail", ["a@example.jp", "b@example.jp"])
    wanted = spec(category="saigai", channels=("line", "mail"))
    line, mail = await measure_impact(real.context, wanted)
    assert [(one.account, one.count, one.broadcast) for one in (line, mail)] == [
        ("line", 3, False),
        ("mail", 2, False),
    ]
    assert wanted.texts["ja"][0] in line.previews[0].headline
    assert await count(real.database, notices.notice) == 0


async def test_the_impact_says_which_account_goes_by_broadcast(real: Stage) -> None:
    wanted = spec(target=Target("everyone"), channels=("line", "mail"))
    impacts = await measure_impact(real.context, wanted)
    assert {one.account: one.broadcast for one in impacts} == {"line": True, "mail": False}


async def test_the_impact_of_an_impossible_target_is_refused_by_name(real: Stage) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await measure_impact(real.context, spec(target=Target("segment", "unheard")))
    assert [problem.field for problem in refused.value.problems] == ["segment"]


async def test_the_impact_is_the_audience_that_the_fan_out_then_plans(small_stage: Stage) -> None:
    await small_stage.subscribers(5)
    wanted = {"category": "saigai", "channels": ("line",)}
    (impact,) = await measure_impact(small_stage.context, spec(**wanted))
    deliveries = await fire(small_stage, **wanted)
    await plan_all(small_stage)
    assert (await tally_of(small_stage.database, deliveries["line"])).planned == impact.count == 5


async def test_checking_and_previewing_open_no_session(small_stage: Stage) -> None:
    draft = spec(channels=("line", "mail"))
    assert not checks.find_problems(small_stage.context, draft)
    assert [item.account for item in await measure_impact(small_stage.context, draft)] == ["line", "mail"]
    assert (small_stage.line.opened, small_stage.mail.opened) == (0, 0)
