"""Twelve things that really happened to towns, done again in the console, on the command line and past both.

A quota that is used up half-way stands in tests/bot/console/test_limits.py. Each shows what held: nothing is sent until somebody has said yes to what was found, or not at all.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from typer.testing import Result

from bot.service import Service
from channels.links import ask_link
from content.database import Database
from content.notices import notices
from content.staff import audit
from content.town import Town
from scheduler import notice_service
from scheduler.checks import NoticeRefused
from scheduler.examination import NoticeQuestioned
from tests.bot.incidents import ACCOUNTS, CARRIES_DRILLS, EMPTY_SEGMENT, INCIDENTS, Incident
from tests.bot.web_visitor import Visitor
from tests.factories import (
    PEOPLE,
    SHIBATA,
    create_town,
    make_delivery,
    make_notice,
    make_subscriber,
    segment,
    spec,
)


@pytest.fixture
def town() -> Town:
    example = create_town().model_dump(mode="json")
    return create_town(accounts=ACCOUNTS, segments=[*example["segments"], segment(key="empty")])


@pytest_asyncio.fixture
async def residents(service: Service) -> None:
    async with service.database.write() as connection:
        for person in PEOPLE:
            await make_subscriber(connection, service.keys, person)


async def stored(service: Service) -> list[notices.Notice]:
    async with service.database.read() as connection:
        return await notices.recent(connection)


async def approvals(service: Service) -> list[object]:
    async with service.database.read() as connection:
        entries = await audit.entries(connection)
    return [entry.detail["accepted"] for entry in entries if entry.action == "notice.approved"]


def word_of(page_text: str) -> str:
    """The word that the page asks for."""
    return page_text.partition("確認のため「")[2].partition("」")[0].strip()


@pytest.mark.usefixtures("residents")
@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda item: item.name)
async def test_the_console_holds_it(tanaka: Visitor, service: Service, incident: Incident) -> None:
    page = await tanaka.write(**incident.typed())
    if incident.blocking:
        assert page.status == 422
        assert await stored(service) == []
        return
    assert f'name="accept" value="{incident.code}"' in page.html
    refused = await tanaka.approve(page, word_of(page.text))
    assert refused.status == 422
    assert "確かめていない指摘があります" in refused.text
    assert [item.state for item in await stored(service)] == ["draft"]
    await tanaka.approve(page, word_of(page.text), accept=[incident.code])
    assert [item.state for item in await stored(service)] == ["approved"]
    assert await approvals(service) == [[incident.code]]


@pytest.fixture
def kairanban(
    command_line: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """The command line of the same town, with a few registrations."""
    profile = SHIBATA.read_text(encoding="utf-8").replace('key = "line"\nchannel = "line"\n', CARRIES_DRILLS)
    profile = profile.replace('also_carries = ["drill"]\nalso_carries', "also_carries")
    (tmp_path / "town.toml").write_text(profile + EMPTY_SEGMENT, encoding="utf-8")
    monkeypatch.setenv("KAIRANBAN_TOWN", str(tmp_path / "town.toml"))
    register = "channel,address,categories,areas,language,birth_months,groups,registered_at\n"
    rows = "".join(f"line,U{number:032x},saigai,funaoka,ja,,,\n" for number in range(1, 4))
    (tmp_path / "register.csv").write_text(register + rows, encoding="utf-8")
    done = command_line("subscribers", "import", str(tmp_path / "register.csv"))
    assert done.exit_code == 0, done.stderr
    return command_line


def number_stored(tmp_path: Path) -> int:
    with sqlite3.connect(tmp_path / "town.db") as database:
        return int(database.execute("SELECT count(*) FROM notice").fetchone()[0])


@pytest.mark.parametrize("incident", INCIDENTS, ids=lambda item: item.name)
def test_the_command_line_holds_it(
    kairanban: Callable[..., Result], tmp_path: Path, incident: Incident
) -> None:
    done = kairanban("notice", "post", *incident.words())
    assert done.exit_code == 2, done.stderr
    assert number_stored(tmp_path) == 0
    dry = kairanban("notice", "check", *incident.words())
    assert dry.exit_code == 2
    assert f"[{incident.code}]" in dry.stderr
    if incident.blocking:
        # Nobody can say yes to what is impossible.
        assert kairanban("notice", "post", *incident.words(), "--accept", incident.code).exit_code == 2
        return
    assert f"--accept {incident.code}" in done.stderr
    accepted = kairanban("notice", "post", *incident.words(), "--accept", incident.code)
    assert accepted.exit_code == 0, accepted.stderr
    assert number_stored(tmp_path) == 1


# The target and the time are asked above, through the same function.
IN_WORDS = [item for item in INCIDENTS if not item.target and not item.at]


@pytest.mark.usefixtures("residents")
@pytest.mark.parametrize("incident", IN_WORDS, ids=lambda item: item.name)
async def test_the_way_that_machines_take_holds_it(service: Service, incident: Incident) -> None:
    wanted = spec(category="saigai", texts={"ja": (incident.title, incident.body)}, mode=incident.mode)
    wanted = replace(wanted, urgency="urgent" if incident.urgent else "routine")
    with pytest.raises(NoticeRefused) as refused:
        await notice_service.post(service.context, wanted, submission_key="a", staff="cli:machine")
    assert isinstance(refused.value, NoticeQuestioned) is not incident.blocking
    assert incident.code in {problem.code for problem in refused.value.problems}
    assert await stored(service) == []


@pytest.mark.usefixtures("residents")
async def test_an_alert_is_not_repeated_by_a_second_person_or_a_machine(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    order = {
        "title__ja": "避難指示 船岡地区",
        "body__ja": "今すぐ高台へ避難してください。",
        "category": "saigai",
    }
    await tanaka.approve(await tanaka.write(**order, urgency="urgent"), "緊急配信")
    again = await suzuki.write(
        **(order | {"body__ja": "今すぐ、高台へ 避難してください。"}), urgency="urgent"
    )
    assert "同じ内容のお知らせ" in again.text
    assert (await suzuki.approve(again, "緊急配信")).status == 422
    wanted = spec(
        category="saigai",
        urgency="urgent",
        texts={"ja": ("避難指示 船岡地区", "今すぐ高台へ避難してください。")},
    )
    with pytest.raises(NoticeQuestioned, match="同じ内容"):
        await notice_service.post(service.context, wanted, submission_key="m", staff="cli:machine")
    # A second report differs in its number and goes out.
    second = replace(wanted, texts={"ja": ("避難指示 第2報", "今すぐ高台へ避難してください。")})
    assert await notice_service.post(service.context, second, submission_key="n", staff="cli:machine")


def test_an_alert_is_not_repeated_on_the_command_line(kairanban: Callable[..., Result]) -> None:
    order = (
        "--category",
        "saigai",
        "--title",
        "避難指示",
        "--body",
        "今すぐ高台へ避難してください。",
        "--urgent",
    )
    assert kairanban("notice", "post", *order, "--channel", "line").exit_code == 0
    done = kairanban("notice", "post", *order, "--channel", "line")
    assert done.exit_code == 2
    assert "--accept repeated" in done.stderr
    assert kairanban("notice", "post", *order, "--channel", "line", "--accept", "repeated").exit_code == 0


async def _usual_hundreds(database: Database) -> None:
    async with database.write() as connection:
        for number in range(6):
            notice_id = await make_notice(
                connection, category="saigai", texts={"ja": (f"お知らせ{number}", "本文")}, at=1_000
            )
            await make_delivery(connection, [list(range(1, 101))], notice_id=notice_id)


@pytest.mark.usefixtures("residents")
async def test_a_tenth_of_the_usual_number_is_asked_about_in_the_console(
    tanaka: Visitor, service: Service
) -> None:
    await _usual_hundreds(service.database)
    page = await tanaka.write(category="saigai")
    assert "この分野のふだん(おおよそ100件)より、ずっと少ない" in page.text
    assert (await tanaka.approve(page)).status == 422
    assert (await tanaka.approve(page, accept=["unusual-number"])).status == 200


def test_a_tenth_of_the_usual_number_is_asked_about_on_the_command_line(
    kairanban: Callable[..., Result], tmp_path: Path
) -> None:
    async def seed() -> None:
        database = Database(f"sqlite:///{tmp_path / 'town.db'}")
        await _usual_hundreds(database)
        await database.close()

    asyncio.run(seed())
    words = Incident("tenth", "unusual-number").words()
    assert "--accept unusual-number" in kairanban("notice", "post", *words).stderr


@pytest_asyncio.fixture
async def gone() -> AsyncIterator[str]:
    """A page that is not there."""
    runner = web.AppRunner(web.Application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/gone"
    await runner.cleanup()


@pytest.mark.usefixtures("residents")
async def test_a_dead_link_is_asked_about_and_keeps_no_urgent_notice_waiting(
    service: Service, gone: str
) -> None:
    async def asked(_: str) -> str:
        return await partial(ask_link, allow_private=True)(gone)

    context = replace(service.context, ask_link=asked)  # type: ignore[arg-type]
    body = "くわしくは https://www.town.example.jp/oshirase をご覧ください。"
    wanted = spec(category="saigai", texts={"ja": ("お知らせ", body)})
    with pytest.raises(NoticeQuestioned, match="開けません"):
        await notice_service.post(context, wanted, submission_key="a", staff="cli:machine")
    urgent = replace(wanted, urgency="urgent")
    assert await notice_service.post(context, urgent, submission_key="b", staff="cli:machine")


@pytest.mark.usefixtures("residents")
async def test_everyone_takes_a_right_and_a_word_of_its_own(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.write(category="saigai", target="everyone")
    if "登録者全員に送る権限がありません" in page.text:
        assert 'name="word"' not in page.html
        return
    assert (await tanaka.approve(page, "配信")).status == 422
    await tanaka.approve(page, "全員")
    assert [item.state for item in await stored(service)] == ["approved"]


def test_everyone_takes_a_yes_on_the_command_line(kairanban: Callable[..., Result]) -> None:
    words = (*Incident("everyone", "everyone").words(), "--everyone")
    done = kairanban("notice", "post", *words)
    assert (done.exit_code, "--accept everyone" in done.stderr) == (2, True)
    assert kairanban("notice", "post", *words, "--accept", "everyone").exit_code == 0


def test_a_yes_to_no_check_is_a_mistake(kairanban: Callable[..., Result]) -> None:
    done = kairanban("notice", "post", *Incident("x", "x").words(), "--accept", "evryone")
    assert done.exit_code == 2
    assert "there is no check 'evryone'" in done.stderr
