"""notice post, show, cancel: as a member of staff, audited."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.commands.common import (
    FAILED,
    NOBODY,
    OK,
    USAGE,
    fail,
    load_settings,
    opened,
    operator,
    print_json,
    run,
    talk,
)
from bot.commands.every import EXAMPLES, read_rule
from bot.commands.notice_wait import WAITING, insist, wait_for_end
from bot.notice_json import notice_json
from bot.recurrence_words import next_dates, occurrence_words, rule_details, rule_words
from bot.service import Service
from channels.reasons import find_reason
from content.clock import from_datetime, words
from content.database import is_infrastructure
from content.ledger.suspensions import ACCOUNT_GONE
from content.notices.notices import NoticeSpec
from content.notices.recurrence import BadRecurrence, RecurrenceRule
from content.notices.segments import Target
from content.notices.states import TargetKind
from content.town import Mode, Urgency
from scheduler import notice_service
from scheduler.checks import NoticeRefused, refuse_problems
from scheduler.impact import measure_impact
from scheduler.notice_service import Status
from scheduler.words import CHANNEL_NAMES

app = typer.Typer(no_args_is_help=True, help="お知らせを出す・結果を見る.")
# Seconds that a notice is offered to a database that does not answer.
WITHOUT_DATABASE = 10.0
UNCERTAIN = (
    "データベースにつながらないため、お知らせを受け付けられたか分かりません。"
    "つながるようになったら、管理画面の一覧で確かめてから、もう一度出してください。"
)


@app.command()
def post(
    category: Annotated[str, typer.Option(help="Key of the category.")],
    title: Annotated[str, typer.Option(help="Title in Japanese.")],
    body: Annotated[
        str,
        typer.Option(
            help="Body in Japanese; - reads standard input. Others see it in the list of processes."
        ),
    ] = "",
    body_file: Annotated[
        Path | None,
        typer.Option("--body-file", help="File with the body, UTF-8.", exists=True, dir_okay=False),
    ] = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="Travels in the urgent lane.")] = False,
    mode: Annotated[str, typer.Option(help="live, drill or test.")] = Mode.LIVE,
    segment: Annotated[str, typer.Option(help="Key of a segment.")] = "",
    group: Annotated[str, typer.Option(help="Key of a group.")] = "",
    everyone: Annotated[bool, typer.Option("--everyone", help="Every active registration.")] = False,
    channel: Annotated[list[str] | None, typer.Option(help="Repeat for several; default: all.")] = None,
    at: Annotated[str, typer.Option(help="When, ISO 8601; without a zone Japan's time.")] = "",
    expires: Annotated[str, typer.Option(help="Not sent any more from then on, ISO 8601.")] = "",
    every: Annotated[str, typer.Option(help=f"Again and again: {EXAMPLES}.")] = "",
    first: Annotated[str, typer.Option("--from", help="First day of --every.")] = "",
    until: Annotated[str, typer.Option(help="Last day of --every.")] = "",
    closures: Annotated[
        list[str] | None, typer.Option("--except", help="No sending: DATE, DATE~DATE or 12/29~1/3; repeat.")
    ] = None,
    on_holiday: Annotated[str, typer.Option(help="send, skip, or the working day before or after.")] = "send",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until nothing is open.")] = False,
    timeout: Annotated[float, typer.Option(help="Longest wait in seconds.")] = 3600.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write, approve and send a notice to the registrations that chose its category."""
    spec = NoticeSpec(
        category=category,
        urgency=Urgency.URGENT if urgent else Urgency.ROUTINE,
        texts={"ja": (title, _body(body, body_file))},
        channels=tuple(channel or ()),
        mode=mode,
        target=_target(segment, group, everyone),
        at=_moment("--at", at),
        expires=_moment("--expires", expires),
        rule=_rule(every, first, until, closures or [], on_holiday),
    )
    if wait and spec.rule:
        fail("--wait: a recurring notice has no end to wait for; leave it out.", USAGE)
    run(_post(spec, wait, timeout, json))


@app.command()
def show(
    notice_id: int,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What became of a notice, per channel."""
    run(_show(notice_id, json))


@app.command()
def cancel(notice_id: int) -> None:
    """A scheduled or held notice never goes out; a recurring one stops."""
    run(_cancel(notice_id))


@app.command("give-up")
def give_up(notice_id: int) -> None:
    """Never send what is left for an account that the town profile no longer has (残りの配信をやめる)."""
    run(_give_up(notice_id))


async def _post(spec: NoticeSpec, wait: bool, timeout: float, as_json: bool) -> None:
    key = str(uuid.uuid4())
    async with opened(load_settings()) as service:
        spec = _with_channels(service, spec)

        async def posted() -> int:
            return await notice_service.post(service.context, spec, submission_key=key, staff=operator())

        try:
            await _refuse_nobody(service, spec)
            # The key makes a second try harmless, also when the first was committed unheard.
            notice_id = await insist(posted, WITHOUT_DATABASE)
        except NoticeRefused as error:
            fail("\n".join(f"{item.field}: {item.message}" for item in error.problems), USAGE)
        except Exception as error:
            if not is_infrastructure(error):
                raise
            fail(UNCERTAIN, FAILED)
        talk.print(f"お知らせ {notice_id} を受け付けました。", highlight=False)
        code, status = await wait_for_end(service, notice_id, timeout if wait else 0.0)
        if status is not None:
            _print(status, as_json)
    raise typer.Exit(code if wait else OK)


async def _show(notice_id: int, as_json: bool) -> None:
    async with opened(load_settings()) as service:
        try:
            _print(await notice_service.status(service.context, notice_id), as_json)
        except LookupError:
            fail(f"お知らせ {notice_id} はありません。", FAILED)


async def _cancel(notice_id: int) -> None:
    async with opened(load_settings()) as service:
        if not await notice_service.cancel(service.context, notice_id, staff=operator()):
            fail(f"お知らせ {notice_id} は取り消せません(ないか、もう配信を始めています)。", FAILED)
    talk.print(f"お知らせ {notice_id} を取り消しました。", highlight=False)


async def _give_up(notice_id: int) -> None:
    from scheduler.suspending import give_up_rest

    async with opened(load_settings()) as service:
        if not await give_up_rest(service.context, notice_id, staff=operator()):
            fail(f"お知らせ {notice_id} に、アカウントがないため止まっている配信はありません。", FAILED)
    talk.print(f"お知らせ {notice_id} の残りの配信をやめました。", highlight=False)


def _with_channels(service: Service, spec: NoticeSpec) -> NoticeSpec:
    if spec.channels:
        return spec
    carrying = tuple(
        channel for channel in service.town.channels if service.town.accounts_for(channel, spec.mode)
    )
    return replace(spec, channels=carrying or service.town.channels)


async def _refuse_nobody(service: Service, spec: NoticeSpec) -> None:
    refuse_problems(service.context, spec)
    impacts = await measure_impact(service.context, spec)
    if spec.at is None and spec.rule is None and not any(item.count for item in impacts):
        fail("この宛先に当てはまる登録はありません。何も送りませんでした。", NOBODY)


def _print(status: Status, as_json: bool) -> None:
    if as_json:
        print_json(notice_json(status))
        return
    table = Table(title=f"お知らせ {status.notice.id}: {status.state}")
    for column in ("配信手段", "予定", "受付", "不達", "不明", "残り", "理由"):
        table.add_column(column, justify="left" if column in ("配信手段", "理由") else "right")
    for row in status.tallies:
        what = find_reason(row.reason).what if row.reason else ""
        figures = (row.planned, row.accepted, row.refused, row.unknown, row.open)
        table.add_row(CHANNEL_NAMES.get(row.channel, row.channel), *map(str, figures), what)
    console = Console()
    for line in _about_series(status):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if status.tallies or not status.notice.spec.rule:
        console.print(table)

    for row in status.tallies:
        if row.suspended_at is not None:
            since = f"アカウント「{row.account}」: {words(row.suspended_at)} から止まっています。"
            talk.print(since + WAITING[ACCOUNT_GONE], markup=False, highlight=False, soft_wrap=True)


def _about_series(status: Status) -> Iterator[str]:
    """What a recurring notice does next, or which one this is an occurrence of."""
    notice, rule = status.notice, status.notice.spec.rule
    if notice.spec.series:
        yield f"お知らせ {notice.spec.series} のくり返しの1回です。"
    if rule is None:
        return
    yield f"お知らせ {notice.id}: {status.state}"
    yield f"くり返し: {rule_words(rule)}"
    yield from (f"{label}: {text}" for label, text in rule_details(rule))
    for item in next_dates(notice):
        yield f"これから: {occurrence_words(rule, item)}"


def _body(body: str, file: Path | None) -> str:
    """From the flag, a file or standard input: a command line is open to everybody on the machine."""
    if body and file:
        fail("--body and --body-file exclude each other; choose one.", USAGE)
    try:
        if file is not None:
            return file.read_text(encoding="utf-8-sig")
        return sys.stdin.buffer.read().decode("utf-8-sig") if body == "-" else body
    except UnicodeDecodeError:
        fail("The body is not UTF-8; save it in that encoding.", USAGE)


def _target(segment: str, group: str, everyone: bool) -> Target:
    chosen = [
        name for name, given in (("segment", segment), ("group", group), ("everyone", everyone)) if given
    ]
    if len(chosen) > 1:
        fail(f"--{chosen[0]} and --{chosen[1]} exclude each other; choose one target.", USAGE)
    if segment:
        return Target(TargetKind.SEGMENT, segment)
    if group:
        return Target(TargetKind.GROUP, group)
    return Target(TargetKind.EVERYONE) if everyone else Target()


def _rule(every: str, first: str, until: str, closures: list[str], on_holiday: str) -> RecurrenceRule | None:
    if not every:
        if first or until or closures:
            fail("--from, --until and --except belong to --every; say how often with --every.", USAGE)
        return None
    try:
        return read_rule(every, first, until, closures, on_holiday)
    except BadRecurrence as error:
        fail(f"{error.field}: {error}", USAGE)


def _moment(flag: str, at: str) -> int | None:
    if not at:
        return None
    try:
        return from_datetime(datetime.fromisoformat(at))
    except ValueError:
        fail(f"{flag}: '{at}' is no ISO 8601 time; write 2026-04-07T09:00", USAGE)
