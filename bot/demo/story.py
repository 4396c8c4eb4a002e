"""The three stories, played by real HTTP against the running demo; each scene says whether it succeeded."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession

from bot.demo import seed
from bot.demo.browser import Browser
from bot.demo.phone import Phone, all_text
from bot.demo.stage import STAFF, Stage, environment

TITLE = "【警戒レベル4 避難指示】船岡地区 今すぐ避難"
BODY = "白石川の水位が上がっています。\n船岡地区の方は、今すぐ危険な場所から全員避難してください。\n避難所:船岡小学校"
TITLE_EN = "[Level 4] Evacuate now: Funaoka"
BODY_EN = "The Shiroishi river may overflow. Leave dangerous places now.\nShelter: Funaoka Elementary School"
MAX_WAIT = 60.0


@dataclass(slots=True)
class SceneResult:
    name: str
    held: bool = False
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Memory:
    """What later scenes need from earlier ones."""

    notice_id: int = 0


async def play(stage: Stage) -> list[SceneResult]:
    """Every scene in order; a scene that raises has failed and says why."""
    memory = Memory()
    results: list[SceneResult] = []
    scenes: list[tuple[str, Callable[[Stage, Memory, SceneResult], Awaitable[None]]]] = [
        ("住民: 友だち追加であいさつが届く", _follows),
        ("住民: ボタンで分野と地区を選び、登録内容を見る", _chooses),
        ("住民: あとで変更し、ブロックして戻っても設定が残る", _changes_and_returns),
        ("職員: 緊急のお知らせを書き、宛先の件数を確かめる", _writes),
        ("職員: 言葉を入力して送り、結果を見届ける", _sends),
        ("住民・協力者: 一人に一通ずつ届いている", _arrived),
        ("企画: 計画の指標と実績が画面とコマンドで一致する", _reports),
    ]
    for name, scene in scenes:
        result = SceneResult(name)
        results.append(result)
        try:
            await scene(stage, memory, result)
            result.held = True
        except (AssertionError, LookupError, OSError, TimeoutError, ValueError) as error:
            result.figures["why"] = f"{type(error).__name__}: {error}"
            break
    return results


async def _follows(stage: Stage, memory: Memory, result: SceneResult) -> None:
    async with ClientSession() as session:
        phone = _sato(session, stage)
        greeting = all_text(await phone.act_and_read("follow"))
    _expect(stage.service.town.name in greeting, "the greeting names the town")
    _expect(stage.service.town.phone in greeting, "the greeting tells whom to call")


async def _chooses(stage: Stage, memory: Memory, result: SceneResult) -> None:
    town = stage.service.town
    async with ClientSession() as session:
        phone = _sato(session, stage)
        await phone.tap("お知らせの設定")
        await phone.tap(town.category["bohan"].name())
        await phone.tap("次へ")
        await phone.tap(town.area["funaoka"].name())
        summary = all_text(await phone.tap("次へ"))
        if town.area["funaoka"].name() not in summary or town.category["bohan"].name() not in summary:
            summary = all_text(await phone.tap("登録内容"))
    for wanted in (town.category["saigai"], town.category["bohan"], town.area["funaoka"]):
        _expect(wanted.name() in summary, f"the summary shows {wanted.key}")


async def _changes_and_returns(stage: Stage, memory: Memory, result: SceneResult) -> None:
    town = stage.service.town
    async with ClientSession() as session:
        phone = _sato(session, stage)
        await phone.tap("変更")
        await phone.tap(town.category["event"].name())
        await phone.do("block")
        back = all_text(await phone.act_and_read("unblock"))
    _expect("おかえり" in back, "she is welcomed back")
    for wanted in (town.category["bohan"], town.category["event"], town.area["funaoka"]):
        _expect(wanted.name() in back, f"{wanted.key} is still set")
    counts = await _command(stage, "report", "counts", "--json")
    result.figures["subscribers"] = _by_channel(counts)
    _expect(result.figures["subscribers"]["line"] == seed.LINE_TARGET + 1, "she is counted once")


async def _writes(stage: Stage, memory: Memory, result: SceneResult) -> None:
    async with Browser(stage.web_url) as browser:
        await _log_in(browser, "bosai")
        page = await browser.get("/console/notices/new?urgency=urgent")
        form = page.form("/console/notices/new")
        fields = form.filled(
            category="saigai", title__ja=TITLE, body__ja=BODY, title__en=TITLE_EN, body__en=BODY_EN
        )
        confirm = await browser.send(form.action, fields)
        again = await browser.send(form.action, fields)
        _expect(confirm.url == again.url, "the same form twice is one notice")
        found = re.search(r"/notices/(\d+)", confirm.url)
        if found is None:
            raise LookupError(f"the form was not taken: {confirm.problems()}")
        memory.notice_id = int(found.group(1))
        wrong_form = confirm.form("/approve")
        wrong = await browser.send(wrong_form.action, wrong_form.filled(word="はい"))
        _expect(wrong.status == 422, "a wrong word sends nothing")
    shown = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+)\s*件", confirm.html)]
    expected = {"line": seed.LINE_TARGET + 1, "mail": seed.MAIL_TARGET, "webhook": 1}
    for channel, count in expected.items():
        _expect(count in shown, f"the confirm page shows {count} for {channel}")
    result.figures["impact"] = expected


async def _sends(stage: Stage, memory: Memory, result: SceneResult) -> None:
    async with Browser(stage.web_url) as browser:
        await _log_in(browser, "bosai")
        page = await browser.get(f"/console/notices/{memory.notice_id}/confirm")
        form = page.form("/approve")
        await browser.send(form.action, form.filled(word="緊急配信"))
        repeated = await browser.send(form.action, form.filled(word="緊急配信"))
        _expect(repeated.url.endswith(f"/notices/{memory.notice_id}"), "approving twice shows the progress")
        shown = await _finished(stage, memory.notice_id)
        progress = await browser.get(f"/console/notices/{memory.notice_id}/progress")
    _expect(progress.status == 200, "the progress page answers")
    result.figures.update(_figures(shown))
    refused = len(seed.refused_mail_addresses(stage.service.town))
    channels = shown["channels"]
    _expect(channels["line"]["accepted"] == seed.LINE_TARGET + 1, "LINE accepted everyone")
    _expect(channels["mail"]["refused"] == refused, f"{refused} mail addresses are refused with a reason")
    _expect(channels["mail"]["accepted"] == seed.MAIL_TARGET - refused, "all other mail was accepted")
    _expect(channels["webhook"]["accepted"] == 1, "the webhook was accepted")


async def _arrived(stage: Stage, memory: Memory, result: SceneResult) -> None:
    async with ClientSession() as session:
        mine = [all_text(message) for message in await _sato(session, stage).messages()]
    result.figures["copies_on_one_phone"] = sum("警戒レベル4 避難指示" in text for text in mine)
    _expect(result.figures["copies_on_one_phone"] == 1, "the phone shows it exactly once")
    mails = stage.smtp.mailroom.recipients
    result.figures["mails"], result.figures["mail_doubles"] = (
        len(mails),
        sum(count > 1 for count in mails.values()),
    )
    _expect(result.figures["mail_doubles"] == 0, "nobody got two mails")
    arrivals = list(stage.hooks.arrivals)
    result.figures["webhooks"] = len(arrivals)
    _expect([item.valid for item in arrivals] == [True], "one webhook, with a valid signature")


async def _reports(stage: Stage, memory: Memory, result: SceneResult) -> None:
    async with Browser(stage.web_url) as browser:
        await _log_in(browser, "kikaku")
        page = await browser.get("/console/reports/indicators/line_registrations")
        refused = await browser.get("/console/notices/new")
    _expect(refused.status == 403, "the planning officer cannot send")
    (report,) = await _command(stage, "report", "indicators", "--key", "line_registrations", "--json")
    years = {year["fiscal_year"]: year for year in report["years"]}
    targets = {year: item["target"] for year, item in years.items()}
    _expect(targets == {2020: 2000, 2021: 3000, 2022: 4500}, "the plan's targets stand in the report")
    _expect(years[2022]["actual"] == seed.LINE_TARGET, "the actual at the end of 2022 is the count then")
    for year in years.values():
        _expect(f"{year['actual']:,}" in page.html, f"the page shows the actual of {year['fiscal_year']}")
        _expect(
            f"{year['rate_percent']:.1f}" in page.html, f"the page shows the rate of {year['fiscal_year']}"
        )
    _expect("<svg" in page.html and "約1,000人" in page.html, "chart and annotation stand on the page")
    result.figures["years"] = [
        {name: year[name] for name in ("fiscal_year", "target", "actual", "rate_percent")}
        for year in years.values()
    ]


def _sato(session: ClientSession, stage: Stage) -> Phone:
    return Phone(session, stage.line_url, seed.PERSONAS[0].user_id)


async def _log_in(browser: Browser, login: str) -> None:
    password = next(password for name, password, _, _ in STAFF if name == login)
    form = (await browser.get("/console/login")).form("/console/login")
    page = await browser.send(form.action, form.filled(login=login, password=password))
    _expect(page.status == 200 and "login" not in page.url, f"{login} is logged in")


async def _finished(stage: Stage, notice_id: int) -> dict[str, Any]:
    """`notice show` once nothing is open. Raises TimeoutError."""
    async with asyncio.timeout(MAX_WAIT):
        while True:
            shown: dict[str, Any] = await _command(stage, "notice", "show", str(notice_id), "--json")
            if shown["state"] in ("finished", "partly", "nobody"):
                return shown
            await asyncio.sleep(0.2)


async def _command(stage: Stage, *arguments: str) -> Any:
    """Run `kairanban …` as its own process on the same database; its JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.cli",
        *arguments,
        env=environment(stage.settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode:
        raise ValueError(
            f"kairanban {' '.join(arguments)} ended with {process.returncode}: {err.decode()[-500:]}"
        )
    return json.loads(out)


def _by_channel(counts: list[dict[str, Any]]) -> dict[str, int]:
    return {row["channel"]: row["registrations"] for row in counts if row["measure"] == "channel"}


def _figures(shown: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    approved = datetime.fromisoformat(shown["approved_at"])

    def seconds(moment: str | None) -> float | None:
        return (
            None if moment is None else round((datetime.fromisoformat(moment) - approved).total_seconds(), 3)
        )

    return {
        channel: {
            **{name: row[name] for name in ("planned", "accepted", "refused", "unknown", "open")},
            "seconds_to_first": seconds(row["first_accepted_at"]),
            "seconds_to_last": seconds(row["last_accepted_at"]),
        }
        for channel, row in shown["channels"].items()
    }


def _expect(held: bool, what: str) -> None:
    if not held:
        raise AssertionError(what)
