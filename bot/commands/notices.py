"""notice post, check, show, cancel: as a member of staff, audited."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.commands import notice_attached as attached
from bot.commands import notice_options as options
from bot.commands.common import (
    FAILED,
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
from bot.commands.named import with_keys
from bot.commands.notice_after import add_commands
from bot.commands.notice_check import insist_on_yes, known_codes, refuse, show_examination
from bot.commands.notice_export import add_export
from bot.commands.notice_refusals import add_refusals
from bot.commands.notice_try import add_command
from bot.commands.notice_wait import WAITING, insist, wait_for_end
from bot.notice_json import notice_json
from bot.recurrence_words import next_dates, occurrence_words, rule_details, rule_words
from bot.service import Service
from channels.reasons import find_reason
from content.clock import words
from content.database import is_infrastructure
from content.ledger.suspensions import ACCOUNT_GONE
from content.notices.notices import NoticeSpec
from scheduler import notice_service
from scheduler.approval import ApprovalRefused, needs_two
from scheduler.checks import NoticeRefused
from scheduler.examination import examine_notice
from scheduler.notice_status import Status
from scheduler.town_context import with_channels
from scheduler.words import CHANNEL_NAMES

app = typer.Typer(no_args_is_help=True, help="お知らせを出す・結果を見る.")
# Seconds that a notice is offered to a database that does not answer.
WITHOUT_DATABASE = 10.0
UNCERTAIN = (
    "データベースにつながらないため、お知らせを受け付けられたか分かりません。"
    "つながるようになったら、管理画面の一覧で確かめてから、もう一度出してください。"
)


@app.command()
@options.takes_notice
def post(
    spec: NoticeSpec,
    picture: attached.Pictures = None,
    alt: attached.Alts = None,
    place: attached.PlaceLabel = "",
    address: attached.Address = "",
    point: attached.Point = "",
    starts: attached.Starts = "",
    ends: attached.Ends = "",
    ask_read: attached.AskRead = None,
    accept: options.Accept = None,
    reason: options.Reason = notice_service.ALONE,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until nothing is open.")] = False,
    timeout: Annotated[float, typer.Option(help="Longest wait in seconds.")] = 3600.0,
    json: options.Json = False,
) -> None:
    """Write, approve and send a notice to the registrations that chose its category."""
    where = attached.read_place(place, address, point)
    event = attached.read_event(starts, ends)
    shown = attached.read_pictures(picture or [], alt or [])
    if wait and spec.rule:
        fail("--wait: a recurring notice has no end to wait for; leave it out.", USAGE)

    async def complete(service: Service) -> NoticeSpec:
        return await attached.attach(
            service, with_channels(service.town, with_keys(service.town, spec)), shown, where, ask_read, event
        )

    run(_post(complete, known_codes(accept), reason, wait, timeout, json))


@app.command()
@options.takes_notice
def check(spec: NoticeSpec, accept: options.Accept = None, json: options.Json = False) -> None:
    """What the checks say about a notice; sends nothing. Exit 0: it would be sent, 2: it would not."""
    raise typer.Exit(run(_check(spec, known_codes(accept), json)))


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


async def _post(
    complete: Callable[[Service], Awaitable[NoticeSpec]],
    accepted: frozenset[str],
    reason: str,
    wait: bool,
    timeout: float,
    as_json: bool,
) -> None:
    key = str(uuid.uuid4())
    async with opened(load_settings()) as service:
        spec = await complete(service)
        try:
            examined = await examine_notice(service.context, spec, but_key=key, to_show=False)
            insist_on_yes(examined, accepted, as_json=as_json)

            async def posted() -> int:
                return await notice_service.post(
                    service.context,
                    spec,
                    submission_key=key,
                    staff=operator(),
                    accepted=accepted,
                    examined=examined,
                    reason=reason,
                )

            # The key makes a second try harmless, also when the first was committed unheard.
            notice_id = await insist(posted, WITHOUT_DATABASE)
        except NoticeRefused as error:
            refuse(error)
        except ApprovalRefused as error:
            fail(f"--reason: {error}", USAGE)
        except Exception as error:
            if not is_infrastructure(error):
                raise
            fail(UNCERTAIN, FAILED)
        talk.print(f"お知らせ {notice_id} を受け付けました。", highlight=False)
        if needs_two(service.town, spec):
            talk.print(
                "別の人の承認を待っています。承認は管理画面の「承認待ち」で行います。", highlight=False
            )
            wait = False
        code, status = await wait_for_end(service, notice_id, timeout if wait else 0.0)
        if status is not None:
            _print(status, as_json)
    raise typer.Exit(code if wait else OK)


async def _check(spec: NoticeSpec, accepted: frozenset[str], as_json: bool) -> int:
    async with opened(load_settings()) as service:
        examined = await examine_notice(
            service.context, with_channels(service.town, with_keys(service.town, spec))
        )
        return show_examination(examined, accepted, as_json=as_json)


async def _show(notice_id: int, as_json: bool) -> None:
    async with opened(load_settings(), only_reads=True) as service:
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


add_commands(app, _print)
add_command(app)
add_export(app)
add_refusals(app)
