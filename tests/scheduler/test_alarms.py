"""What breaks is told to operators once, then rarely, and its end too."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import time, timedelta

import pytest

from channels.mail.plain import send_plain
from content.clock import DAY, HOUR, MINUTE, to_jst
from content.ledger import account_health, account_outages, alarms, presence
from content.notices import records
from content.notices.calendars import WordCalendar
from content.notices.records import RecordKind
from content.notices.recurrence import RecurrenceRule
from content.register import inbound_events
from content.staff import machines
from sandbox.mail.server import SmtpSandbox
from scheduler import alarms as watching
from scheduler import this_process
from scheduler.alarm_checks import Disk, find_troubles
from scheduler.alarm_codes import AlarmCode
from scheduler.alarms import watch
from scheduler.town_context import OperatorMessage, TownContext
from tests.factories import make_delivery, make_notice, make_subscribers
from tests.scheduler.scripted import Stage, eventually, sending, settled

BIG = Disk(total=100 * 2**30, free=50 * 2**30)


def big_disk(_: TownContext) -> Disk:
    return BIG


class Operators:
    """Those who are told; `gone` while neither mail nor webhook works."""

    def __init__(self) -> None:
        self.read: list[OperatorMessage] = []
        self.gone = False

    async def tell(self, message: OperatorMessage) -> None:
        if self.gone:
            raise OSError("no way out")
        self.read.append(message)

    def watched(self, stage: Stage) -> TownContext:
        return replace(stage.context, tell_operators=self.tell)


async def stop_line(stage: Stage) -> None:
    async with stage.database.write() as connection:
        await connection.run_sync(
            account_outages.begin, "line", reason="credentials", now=stage.database.now()
        )


async def mend_line(stage: Stage) -> None:
    async with stage.database.write() as connection:
        await connection.run_sync(account_outages.end, "line")


async def test_a_healthy_service_tells_nobody(stage: Stage) -> None:
    operators = Operators()
    assert await watch(operators.watched(stage), big_disk) == 0
    assert operators.read == []


async def test_a_stopped_account_is_told_once_with_what_to_do_and_then_its_end(stage: Stage) -> None:
    operators = Operators()
    context = operators.watched(stage)
    await stop_line(stage)
    for _ in range(3):
        await watch(context, big_disk)
    [told] = operators.read
    assert told.subject.startswith("【警報】柴田町") and "すること" in told.body and not told.ended
    assert "account-stopped" in told.body and "LINEのアクセストークンが使えません" in told.body
    await mend_line(stage)
    for _ in range(3):
        await watch(context, big_disk)
    assert len(operators.read) == 2 and operators.read[1].ended
    assert operators.read[1].subject.startswith("【復旧】")


async def test_an_alarm_that_comes_again_is_a_new_one(stage: Stage) -> None:
    operators = Operators()
    context = operators.watched(stage)
    for _ in range(2):
        await stop_line(stage)
        await watch(context, big_disk)
        await mend_line(stage)
        await watch(context, big_disk)
    assert [item.ended for item in operators.read] == [False, True, False, True]


def test_an_alarm_that_goes_on_is_repeated_slowly() -> None:
    first = alarms.Alarm(1, "x", "", "", 0, told=1, told_at=0)
    later = replace(first, told=2)
    assert not watching.is_due(first, 6 * HOUR - 1) and watching.is_due(first, 6 * HOUR)
    assert not watching.is_due(later, DAY - 1) and watching.is_due(later, DAY)


async def test_when_nobody_could_be_told_it_is_tried_again_and_told_once(stage: Stage) -> None:
    operators = Operators()
    context = operators.watched(stage)
    await stop_line(stage)
    operators.gone = True
    assert await watch(context, big_disk) == 0
    operators.gone = False
    assert await watch(context, big_disk) == 1
    assert await watch(context, big_disk) == 0


async def test_two_processes_that_look_at_once_tell_once(stage: Stage) -> None:
    operators = Operators()
    context = operators.watched(stage)
    await stop_line(stage)
    await watch(replace(context, tell_operators=None), big_disk)
    await asyncio.gather(*(watch(context, big_disk) for _ in range(4)))
    assert len(operators.read) == 1


async def test_what_ended_before_anybody_was_told_is_not_told(stage: Stage) -> None:
    operators = Operators()
    await stop_line(stage)
    await watch(stage.context, big_disk)
    await mend_line(stage)
    await watch(operators.watched(stage), big_disk)
    assert operators.read == []


@pytest.mark.parametrize(
    ("waits", "accepted", "code"),
    [
        (9 * MINUTE, None, None),
        (11 * MINUTE, None, AlarmCode.ACCOUNT_SILENT),
        (11 * MINUTE, 1 * MINUTE, None),
        (61 * MINUTE, 1 * MINUTE, AlarmCode.QUEUE_OLD),
    ],
)
async def test_an_account_that_accepts_nothing_and_a_queue_that_ages_are_told(
    small_stage: Stage, waits: int, accepted: int | None, code: AlarmCode | None
) -> None:
    now = small_stage.database.now()
    async with small_stage.database.write() as connection:
        ids = await make_subscribers(connection, small_stage.context.keys, 4)
        await make_delivery(connection, [ids[:2]], at=now - waits)
        if accepted is not None:
            from sqlalchemy import update

            from content.ledger.deliveries import batch

            await connection.execute(update(batch).values(last_accepted_at=now - accepted))
    found = await find_troubles(small_stage.context, big_disk)
    assert [item.code for item in found if item.subject == "line"] == ([code] if code else [])


async def test_eighty_percent_of_the_quota_is_told_and_seventy_nine_is_not(small_stage: Stage) -> None:
    for used, told in ((799, []), (800, [AlarmCode.QUOTA_HIGH])):
        async with small_stage.database.write() as connection:
            await account_health.keep_quota(
                connection, "line", limit=1000, used=used, at=small_stage.database.now()
            )
        assert [item.code for item in await find_troubles(small_stage.context, big_disk)] == told


async def test_a_due_notice_that_nobody_fires_is_told(small_stage: Stage) -> None:
    now = small_stage.database.now()
    async with small_stage.database.write() as connection:
        await make_notice(connection, at=now - 3 * MINUTE)
    [found] = await find_troubles(small_stage.context, big_disk)
    assert found.code == AlarmCode.SENDER_SILENT and "1件" in found.detail


async def test_events_of_residents_that_nobody_handles_are_told(small_stage: Stage) -> None:
    now = small_stage.database.now()
    arrivals = [inbound_events.Arrival("e1", "line", now - HOUR, {})]
    async with small_stage.database.write() as connection:
        rows = inbound_events.sealed_rows(small_stage.context.keys, arrivals, now - 6 * MINUTE)
        await inbound_events.store(connection, rows)
    [found] = await find_troubles(small_stage.context, big_disk)
    assert found.code == AlarmCode.SOURCE_STUCK


@pytest.mark.parametrize(
    ("disk", "told"),
    [
        (Disk(100 * 2**30, 1 * 2**30), [AlarmCode.DISK_FULL]),
        # Five percent of a large disk are plenty, and so is half of a small one.
        (Disk(1000 * 2**30, 40 * 2**30), []),
        (Disk(3 * 2**30, 1 * 2**30), []),
        (None, []),
    ],
)
async def test_a_disk_that_fills_up_is_told(
    small_stage: Stage, disk: Disk | None, told: list[AlarmCode]
) -> None:
    assert [item.code for item in await find_troubles(small_stage.context, lambda _: disk)] == told


async def test_a_clock_that_is_wrong_is_told(small_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = type(small_stage.database.clock)
    monkeypatch.setattr(clock, "own_is_far_off", property(lambda _: True))
    monkeypatch.setattr(clock, "own_is_ahead", property(lambda _: -90_000))
    [found] = await find_troubles(small_stage.context, big_disk)
    assert found.code == AlarmCode.CLOCK_WRONG and "90秒遅れて" in found.detail


async def test_an_alarm_is_a_plain_mail_to_every_operator_by_a_road_of_its_own() -> None:
    server = SmtpSandbox()
    port = await server.start()
    try:
        await send_plain(
            f"smtp://127.0.0.1:{port}",
            sender="柴田町 <notice@example.jp>",
            to=["a@example.jp", "b@example.jp"],
            subject="【警報】柴田町",
            body="配信手段が止まっています",
        )
        assert {mail.recipient for mail in server.mailroom.to(None)} == {"a@example.jp", "b@example.jp"}
    finally:
        await server.stop()


async def test_a_machine_that_is_short_of_memory_is_told_of_until_it_has_enough(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    operators = Operators()
    context = operators.watched(stage)
    ids = await stage.subscribers(1)
    delivery_id = await stage.deliver([ids])
    stage.line.then(MemoryError())
    async with sending(context):
        await eventually(lambda: settled(stage.database, delivery_id), hurry=stage)
    await watch(context, big_disk)
    [told] = operators.read
    assert told.code == AlarmCode.MACHINE_SHORT and "メモリー" in told.body
    monkeypatch.setattr(this_process, "REMEMBERED", -1.0)
    await watch(context, big_disk)
    assert operators.read[1].ended


async def test_what_only_one_machine_knows_of_is_ended_by_no_other(stage: Stage) -> None:
    context = stage.context
    now = stage.database.now()
    async with stage.database.write() as connection:
        await presence.renew(connection, "other-machine:7:a1b2c3", now)
        for subject in ("other-machine", "other-machine:7", "machine-that-is-gone"):
            await alarms.begin(connection, AlarmCode.CLOCK_WRONG, subject, "", now)
    await watch(context, big_disk)
    async with stage.database.read() as connection:
        left = {item.subject for item in await alarms.going_on(connection)}
    assert left == {"other-machine", "other-machine:7"}


def test_every_alarm_says_what_to_do() -> None:
    assert all(code.what and code.remedy.endswith("。") for code in AlarmCode)


async def test_a_day_without_its_words_is_told_a_week_before_and_ends_when_they_are_there(
    stage: Stage,
) -> None:
    operators = Operators()
    context = operators.watched(stage)
    every_day = RecurrenceRule("weekly", time(17, 0), weekdays=tuple(range(7)))
    texts = {"ja": ("休日当番医", "あすの当番医は{{病院}}です。")}
    await stage.notice(rule=every_day, texts=texts, calendar="doctor")
    for _ in range(2):
        await watch(context, big_disk)
    (told,) = operators.read
    assert told.code == "words-missing" and "休日当番医" in told.body and "文の暦" in told.body
    today = to_jst(stage.database.now()).date()
    days = {f"{today + timedelta(days=number)}": {"病院": "船岡医院"} for number in range(10)}
    calendar = WordCalendar(key="doctor", name="当番医", columns=("病院",), days=days)
    async with stage.database.write() as connection:
        await records.add_record(connection, RecordKind.CALENDAR, calendar, staff="tanaka", at=1)
    await watch(context, big_disk)
    assert [item.ended for item in operators.read] == [False, True]


async def test_a_key_of_a_machine_that_ends_soon_is_told(stage: Stage) -> None:
    operators = Operators()
    now = stage.database.now()
    async with stage.database.write() as connection:
        for name, days in (("水位計", 13), ("雨量計", 15)):
            await machines.add(
                connection,
                name=name,
                department="office",
                permissions=["see"],
                categories=[],
                networks="",
                per_hour=1,
                expires_at=now + days * DAY,
                by="tanaka",
                at=now,
            )
    await watch(operators.watched(stage), big_disk)
    (told,) = operators.read
    assert told.code == "key-ends" and "水位計" in told.body and "雨量計" not in told.body
