"""The month's counts by mail: who is chosen on the page gets them over a real mail server, once, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from email import message_from_bytes
from email.policy import default

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import delete

from bot.monthly_sending import month_sender
from bot.service import Service
from content.clock import DAY, JST, from_datetime
from content.figures.observed import note_running
from content.register import trial_addresses
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from content.staff import audit, members, monthly_reports, rights
from content.staff.monthly_reports import MonthlyState
from sandbox.mail.server import SmtpSandbox
from scheduler.monthly_mails import look, newest_due
from tests.bot.web_visitor import Visitor
from tests.factories import line_id

PAGE = "/console/reports/monthly-mail"


def at(month: int, day: int, hour: int = 8, minute: int = 30) -> int:
    return from_datetime(datetime(2026, month, day, hour, minute, tzinfo=JST))


@dataclass
class Office:
    """`tanaka` has confirmed a mailbox, `suzuki` has none. The report of September is due on 1 October."""

    service: Service
    mail: SmtpSandbox

    def read(self) -> list[tuple[str, str, str]]:
        """(recipient, subject, text)."""
        found = []
        for mail in self.mail.mailroom.mails:
            sent = message_from_bytes(mail.source, policy=default)
            body = sent.get_body()
            assert body is not None
            found.append((mail.recipient, str(sent["Subject"]), body.get_content().replace("\r\n", "\n")))
        self.mail.mailroom.clear()
        return found

    async def choose(self, *logins: str, department: str = "office", since: int = at(9, 1, 9)) -> None:
        async with self.service.database.write() as connection:
            chosen = [item.id for item in await members.everybody(connection) if item.login in logins]
            await monthly_reports.set_readers(connection, department, chosen, at=since)

    async def states(self, department: str = "office") -> list[MonthlyState]:
        async with self.service.database.read() as connection:
            return [item.state for item in (await monthly_reports.newest(connection, department)).values()]


@pytest_asyncio.fixture
async def office(service: Service, tanaka: Visitor, suzuki: Visitor) -> AsyncIterator[Office]:
    mail = SmtpSandbox()
    settings = service.settings.model_copy(deep=True)
    settings.mail.smtp_url = SecretStr(f"smtp://127.0.0.1:{await mail.start()}")
    chosen = Preferences(frozenset({"saigai", "gomi"}), frozenset({"funaoka"}))
    async with service.database.write() as connection:
        member = await members.find(connection, "tanaka")
        assert member is not None
        box = {"account": "mail", "channel": "mail", "plain": "tanaka@shibata.example.jp"}
        await trial_addresses.add(connection, service.keys, staff_id=member.id, at=1, **box)
        await rights.add_department(connection, "kankyo", "環境課", ["gomi"], at=1)
        for day in range(1, 31):
            await note_running(connection, at(9, day))
        came = [Registration("line", "line", line_id(n), chosen, at(9, 3)) for n in range(12)]
        await register_many(connection, service.keys, came, reason="follow")
    own = Service(settings, replace(service.context, send_month=month_sender(settings, service.context)))
    yield Office(own, mail)
    await mail.stop()


def test_the_newest_report_is_due_on_the_first_working_day_at_half_past_eight() -> None:
    assert newest_due(at(10, 1, 8, 29)) == (date(2026, 8, 1), at(9, 1))
    assert newest_due(at(10, 1)) == newest_due(at(10, 31, 23)) == (date(2026, 9, 1), at(10, 1))
    # 1 November is a Sunday.
    assert newest_due(at(11, 2, 8, 29))[0] == date(2026, 9, 1)


async def test_it_comes_once_with_the_month_by_channel_category_district_and_reason(office: Office) -> None:
    context = office.service.context
    assert await look(context, at(10, 1)) == 0, "nobody was chosen"
    await office.choose("tanaka")
    await office.choose("tanaka", department="kankyo")
    assert await look(context, at(10, 1, 8, 29)) == 0
    # Two processes, and again after a restart.
    assert sum(await asyncio.gather(look(context, at(10, 1)), look(context, at(10, 1)))) == 2
    assert await look(context, at(10, 1, 9)) == await look(context, at(10, 30)) == 0
    mails = {subject: text for _, subject, text in office.read()}
    assert set(mails) == {
        f"登録数の月報 2026年9月 {name}(柴田町 お知らせ配信)" for name in ("全庁", "環境課")
    }
    whole = mails["登録数の月報 2026年9月 全庁(柴田町 お知らせ配信)"]
    for line in (
        "LINE 12件(登録 12件、再登録 0件、終了 0件、差引 +12件)",
        "ごみ・環境 12件(差引 +12件)",
        "災害・避難 12件(差引 +12件)",
        "船岡 12件(差引 +12件)",
        "登録(友だち追加) 12件",
    ):
        assert f"\n{line}\n" in whole
    own = mails["登録数の月報 2026年9月 環境課(柴田町 お知らせ配信)"]
    assert "■ 分野別(環境課の分野)\nごみ・環境 12件(差引 +12件)\n\n" in own and "災害・避難" not in own


async def test_a_day_that_was_missed_is_caught_up_and_who_came_later_begins_with_the_next(
    office: Office,
) -> None:
    await office.choose("tanaka")
    await office.choose("tanaka", "suzuki", department="kankyo", since=at(10, 5))
    assert await look(office.service.context, at(10, 20)) == 1
    assert [(to, subject.split()[1:3]) for to, subject, _ in office.read()] == [
        ("tanaka@shibata.example.jp", ["2026年9月", "全庁(柴田町"])
    ]
    # In November the other department begins; who has no mailbox gets none, and the page can say why.
    assert await look(office.service.context, at(11, 2)) == 2
    assert sorted(await office.states("kankyo")) == [MonthlyState.NO_MAILBOX, MonthlyState.SENT]


async def test_while_no_server_takes_it_it_waits_and_who_was_taken_out_gets_none(office: Office) -> None:
    await office.choose("tanaka")
    context = office.service.context

    async def refused(*_: object) -> None:
        raise OSError

    away = replace(context, send_month=refused)
    assert await look(away, at(10, 1)) == 0
    assert await office.states() == [MonthlyState.DUE]
    assert await look(context, at(10, 1, 8, 31)) == 0, "tried again after two minutes"
    assert await look(context, at(10, 1, 8, 32)) == 1
    async with office.service.database.write() as connection:
        await connection.execute(delete(monthly_reports.monthly_mail))
    assert await look(away, at(10, 1)) == 0
    await office.choose()
    assert await look(context, at(10, 2)) == 0
    assert await office.states() == [MonthlyState.NOT_WANTED]
    async with office.service.database.write() as connection:
        await connection.execute(delete(monthly_reports.monthly_mail))
    await office.choose("tanaka")
    moment = at(10, 1)
    for _ in range(monthly_reports.TRIES):
        assert await look(away, moment) == 0
        moment += DAY // 24
    assert await office.states() == [MonthlyState.GIVEN_UP]
    assert await look(context, moment) == 0


async def test_readers_are_chosen_on_the_page_by_whom_the_department_is_and_written_down(
    office: Office, suzuki: Visitor, kikaku: Visitor
) -> None:
    page = await kikaku.get(PAGE)
    assert "まだ選ばれていません" in page.text and 'name="reader"' not in page.html
    async with office.service.database.read() as connection:
        ids = {item.login: str(item.id) for item in await members.everybody(connection)}
    for _ in range(2):
        page = await suzuki.get(f"{PAGE}?department=kankyo")
        page = await suzuki.submit(page, PAGE, {"reader": ids["tanaka"]})
    assert "次の月のはじめから" in page.text and page.html.count(" checked") == 1
    assert "登録数の月報" in page.text and "■ 分野別(環境課の分野)" in page.text
    async with office.service.database.read() as connection:
        assert list(await monthly_reports.readers(connection, "kankyo")) == [int(ids["tanaka"])]
        acts = [entry for entry in await audit.entries(connection) if entry.action == "figure.readers_set"]
    assert [(entry.actor, entry.subject, entry.detail["readers"]) for entry in acts] == [
        ("suzuki", "department kankyo", "tanaka")
    ]


async def test_who_writes_for_one_department_chooses_for_no_other(office: Office, suzuki: Visitor) -> None:
    async with office.service.database.write() as connection:
        member = await members.find(connection, "suzuki")
        assert member is not None
        given = {rights.Right("see"), rights.Right("write", "kankyo")}
        await rights.give(connection, member.id, given)
    own = await suzuki.get(f"{PAGE}?department=kankyo")
    assert (await suzuki.submit(own, PAGE, {"reader": str(member.id)})).status == 200
    assert 'name="reader"' not in (await suzuki.get(PAGE)).html
    assert (await suzuki.submit(own, PAGE, {"department": "office", "reader": str(member.id)})).status == 403


@pytest.mark.parametrize("department", ["", "gone"])
async def test_a_department_that_is_none_is_not_found(
    office: Office, tanaka: Visitor, department: str
) -> None:
    page = await tanaka.get(PAGE)
    assert (await tanaka.submit(page, PAGE, {"department": department})).status == 404
