"""自己点検: each day by itself, silently, with a proof that stays; a failure is told until the next one passes."""

from __future__ import annotations

from dataclasses import replace
from email import policy
from email.parser import BytesParser

import pytest

from content.clock import DAY, HOUR, MINUTE
from content.database import identity
from content.figures import counts
from content.ledger import alarms, self_tests
from content.ledger.self_tests import SelfTest
from content.notices import maintenance, notices
from content.register import trial_addresses
from content.staff import audit
from scheduler import notice_service, self_test
from scheduler.alarms import watch
from scheduler.self_test import LATEST, LONGEST, SelfTestRefused
from scheduler.triggers import fire_due
from tests.factories import create_town, jst, line_id
from tests.scheduler.outside import Outside, register
from tests.scheduler.scripted import Stage, eventually, get_notice, plan_all, run_sql, sending
from tests.scheduler.test_alarms import Operators, big_disk
from tests.scheduler.test_trials import OWN_LINE, OWN_MAIL, add_address, add_member


async def add_seed(stage: Stage, channel: str, plain: str, login: str = "tanaka") -> int:
    member = await add_member(stage.database, login)
    number = await add_address(stage.database, stage.context.keys, member, channel, plain)
    async with stage.database.write() as connection:
        await trial_addresses.set_seed(connection, number, since=1)
    return number


async def newest(stage: Stage) -> SelfTest | None:
    async with stage.database.read() as connection:
        found = await self_tests.newest(connection)
    return found[0] if found else None


async def through(stage: Stage) -> SelfTest:
    """What was begun, by the whole road to its proof."""
    found = await newest(stage)
    assert found is not None
    await fire_due(stage.context)
    await plan_all(stage)

    async def over() -> bool:
        status = await notice_service.status(stage.context, found.notice_id)
        return status.state in ("finished", "partly", "nobody")

    async with sending(stage.context):
        await eventually(over, hurry=stage)
    await self_test.end_finished(stage.context)
    ended = await newest(stage)
    assert ended is not None and ended.ended_at is not None
    return ended


async def test_it_goes_the_whole_road_silently_and_leaves_its_proof(real: Stage, outside: Outside) -> None:
    outside.line_friends(9)
    await register(real.database, real.context.keys, "line", [line_id(1)])
    await add_seed(real, "line", OWN_LINE)
    await add_seed(real, "mail", OWN_MAIL, "suzuki")
    await self_test.begin(real.context, by="kanri")
    found = await through(real)
    assert (found.passed, found.begun_by) == (True, "kanri")
    assert [(item.account, item.expected, item.planned, item.accepted) for item in found.accounts] == [
        ("line", 1, 1, 1),
        ("mail", 1, 1, 1),
    ]
    assert all(item.milliseconds is not None for item in found.accounts)
    assert dict(outside.chats) == {OWN_LINE: 1}
    (entry,) = list(outside.line.channel.users.by_id[OWN_LINE].history or [])
    assert entry["object"]["altText"].startswith("【試験】自己点検(何もしなくて結構です)")
    assert entry["silent"]
    (mail,) = outside.smtp.mailroom.mails
    subject = str(BytesParser(policy=policy.default).parsebytes(mail.source)["Subject"])
    assert (mail.recipient, subject) == (OWN_MAIL, "【試験】自己点検(何もしなくて結構です)")
    async with real.database.read() as connection:
        assert await notices.recent(connection) == []
        assert await counts.active_now(connection) == {"line": 1}
        assert [item.action for item in await audit.entries(connection, limit=2)] == [
            "selftest.passed",
            "selftest.begun",
        ]


@pytest.mark.parametrize(
    ("hour", "minute", "due"), [(7, 29, False), (7, 30, True), (13, 30, True), (13, 31, False)]
)
async def test_it_is_due_from_its_time_on_and_not_hours_later(hour: int, minute: int, due: bool) -> None:
    town = create_town(self_test_at="07:30")
    now = jst(2026, 4, 7, hour, minute)
    assert self_test.due_now(town, now) == (jst(2026, 4, 7, 7, 30) if due else None)
    assert LATEST == 6 * HOUR


async def test_without_a_time_it_never_goes_by_itself() -> None:
    assert self_test.due_now(create_town(self_test_at=""), jst(2026, 4, 7, 7, 30)) is None


async def test_the_one_of_a_day_goes_once_however_often_is_looked(stage: Stage) -> None:
    await add_seed(stage, "line", OWN_LINE)
    due_at = stage.database.now()
    first = await self_test.begin(stage.context, by="scheduler", due_at=due_at)
    assert first is not None
    assert await self_test.begin(stage.context, by="scheduler", due_at=due_at) is None
    with pytest.raises(SelfTestRefused, match="まだ続いています"):
        await self_test.begin(stage.context, by="kanri")
    await through(stage)
    assert len(stage.line.calls) == 1
    assert await self_test.begin(stage.context, by="scheduler", due_at=due_at) is None
    assert await self_test.begin(stage.context, by="scheduler", due_at=due_at + DAY) is not None


async def test_nothing_is_sent_in_maintenance_from_a_held_database_or_to_nobody(stage: Stage) -> None:
    with pytest.raises(SelfTestRefused, match="宛先がまだありません"):
        await self_test.begin(stage.context, by="kanri")
    await add_seed(stage, "line", OWN_LINE)
    async with stage.database.write() as connection:
        await maintenance.begin(connection, by="kanri", reason="点検", at=1)
    with pytest.raises(SelfTestRefused, match="保守モード"):
        await self_test.begin(stage.context, by="kanri")
    async with stage.database.write() as connection:
        await maintenance.end(connection)
        await identity.bind(connection, town="043231", key_check=b"k")
        await identity.hold(connection, "restored", 1)
    with pytest.raises(SelfTestRefused, match="控えから"):
        await self_test.begin(stage.context, by="kanri")
    await self_test.look(stage.context)
    assert await newest(stage) is None


async def test_maintenance_that_begins_on_its_way_holds_it_for_good(stage: Stage) -> None:
    await add_seed(stage, "line", OWN_LINE)
    await self_test.begin(stage.context, by="kanri")
    async with stage.database.write() as connection:
        await maintenance.begin(connection, by="kanri", reason="点検", at=1)
    assert await fire_due(stage.context) == 0
    await self_test.end_finished(stage.context)
    found = await newest(stage)
    assert found is not None and found.passed is False
    assert (await get_notice(stage.database, found.notice_id)).state == "cancelled"


async def test_a_failure_is_told_and_ends_by_itself_when_the_next_passes(
    real: Stage, outside: Outside
) -> None:
    await add_seed(real, "mail", OWN_MAIL)
    outside.smtp.faults.refuse = {OWN_MAIL: "550 5.1.1 no such user"}
    operators = Operators()
    await self_test.begin(real.context, by="scheduler", due_at=real.database.now())
    found = await through(real)
    (proof,) = found.accounts
    assert (found.passed, proof.accepted, proof.refused, proof.reason) == (False, 0, 1, "mailbox_unknown")
    context = operators.watched(real)
    await watch(context, big_disk)
    (told,) = operators.read
    assert (told.code, told.ended) == ("self-test-failed", False)
    assert "宛先1件のうち受付は0件" in told.body and "今すぐ自己点検を行う" in told.body
    await watch(context, big_disk)
    assert len(operators.read) == 1
    outside.smtp.faults.refuse = {}
    await self_test.begin(real.context, by="kanri")
    assert (await through(real)).passed
    await watch(context, big_disk)
    assert [item.ended for item in operators.read] == [False, True]
    async with real.database.read() as connection:
        assert await alarms.going_on(connection) == []


async def test_what_does_not_end_has_failed_and_is_not_sent_any_more(stage: Stage) -> None:
    await add_seed(stage, "line", OWN_LINE)
    await self_test.begin(stage.context, by="scheduler", due_at=1)
    await fire_due(stage.context)
    await plan_all(stage)
    await run_sql(stage.database, "UPDATE self_test SET begun_at = begun_at - :n", n=LONGEST - MINUTE)
    assert await self_test.end_finished(stage.context) == 0
    await run_sql(stage.database, "UPDATE self_test SET begun_at = begun_at - :n", n=2 * MINUTE)
    assert await self_test.end_finished(stage.context) == 1
    assert await self_test.end_finished(stage.context) == 0
    found = await newest(stage)
    assert found is not None and found.passed is False
    (proof,) = found.accounts
    assert (proof.planned, proof.accepted, proof.refused, proof.reason) == (1, 0, 1, "stopped")
    async with sending(stage.context):
        pass
    assert stage.line.calls == []


async def test_an_account_that_left_the_profile_is_not_tested_any_more(stage: Stage) -> None:
    await add_seed(stage, "mail", OWN_MAIL)
    town = create_town(accounts=[{"key": "line", "channel": "line"}])
    with pytest.raises(SelfTestRefused, match="宛先がまだありません"):
        await self_test.begin(replace(stage.context, town=town), by="kanri")


async def test_a_look_begins_what_is_due_and_ends_what_is_over(stage: Stage) -> None:
    await add_seed(stage, "line", OWN_LINE)
    town = stage.context.town.model_copy(update={"self_test_at": "00:00"})
    stage = Stage(replace(stage.context, town=town), stage.scripts)
    if self_test.due_now(town, stage.database.now()) is None:
        await self_test.begin(stage.context, by="scheduler", due_at=1)
    await self_test.look(stage.context)
    await fire_due(stage.context)
    await plan_all(stage)

    async def ended() -> bool:
        await self_test.look(stage.context)
        found = await newest(stage)
        return found is not None and bool(found.passed)

    async with sending(stage.context):
        await eventually(ended, hurry=stage)
    assert len(stage.line.calls) == 1
