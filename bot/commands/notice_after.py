"""notice correct, withdraw, stop, retry: what can still be done once a notice has gone out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import typer

from bot.commands import notice_options as options
from bot.commands.common import FAILED, OK, fail, load_settings, opened, operator, run, talk
from bot.commands.notice_check import insist_on_yes, known_codes, refuse
from bot.commands.notice_wait import wait_for_end
from content.notices.notices import NoticeSpec
from content.notices.states import NoticeKind
from scheduler import after_sending, notice_service
from scheduler.checks import NoticeRefused
from scheduler.examination import examine_notice
from scheduler.notice_status import Status
from scheduler.town_context import TownContext

Show = Callable[[Status, bool], None]
Write = Callable[[TownContext, NoticeSpec], NoticeSpec]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until nothing is open.")]
Timeout = Annotated[float, typer.Option(help="Longest wait in seconds.")]


def add_commands(app: typer.Typer, show: Show) -> None:
    @app.command()
    def correct(
        notice_id: int,
        title: options.Title,
        body: options.Body = "",
        body_file: options.BodyFile = None,
        accept: options.Accept = None,
        wait: Wait = False,
        timeout: Timeout = 3600.0,
        json: options.Json = False,
    ) -> None:
        """Send a correction (訂正) to exactly those whom a notice reached; what has not left of it stays."""
        words = options.read_body(body, body_file)

        def write(context: TownContext, spec: NoticeSpec) -> NoticeSpec:
            return after_sending.in_other_languages(context, spec, title, words)

        run(_follow(notice_id, NoticeKind.CORRECTION, write, accept, wait, timeout, json, show))

    @app.command()
    def withdraw(
        notice_id: int,
        title: Annotated[str, typer.Option(help="Title in Japanese; default: that of the notice.")] = "",
        body: options.Body = "",
        body_file: options.BodyFile = None,
        accept: options.Accept = None,
        wait: Wait = False,
        timeout: Timeout = 3600.0,
        json: options.Json = False,
    ) -> None:
        """Tell those whom a notice reached that it is withdrawn (取り消し), in every language of the notice."""
        words = options.read_body(body, body_file)

        def write(_context: TownContext, spec: NoticeSpec) -> NoticeSpec:
            usual_title, usual_body = spec.texts["ja"]
            return replace(spec, texts={**spec.texts, "ja": (title or usual_title, words or usual_body)})

        run(_follow(notice_id, NoticeKind.WITHDRAWAL, write, accept, wait, timeout, json, show))

    @app.command()
    def stop(notice_id: int, json: options.Json = False) -> None:
        """Stop sending (配信を止める): what has not left does not leave. Twice does no harm."""
        run(_stop(notice_id, json, show))

    @app.command()
    def retry(
        notice_id: int, wait: Wait = False, timeout: Timeout = 3600.0, json: options.Json = False
    ) -> None:
        """Send again to the refused alone, where the reason can pass (送り直す); never to who may have it."""
        run(_retry(notice_id, wait, timeout, json, show))


async def _retry(notice_id: int, wait: bool, timeout: float, as_json: bool, show: Show) -> None:
    # Here, since to show a notice takes nothing of it.
    from scheduler import retrying

    async with opened(load_settings()) as service:
        try:
            number = await retrying.retry(service.context, notice_id, staff=operator())
        except LookupError:
            fail(f"お知らせ {notice_id} はありません。", FAILED)
        except NoticeRefused as error:
            refuse(error)
        talk.print(f"{number:,}件を送り直します。", highlight=False)
        code, status = await wait_for_end(service, notice_id, timeout if wait else 0.0)
        if status is not None:
            show(status, as_json)
    raise typer.Exit(code if wait else OK)


async def _follow(
    notice_id: int,
    kind: NoticeKind,
    write: Write,
    accept: list[str] | None,
    wait: bool,
    timeout: float,
    as_json: bool,
    show: Show,
) -> None:
    accepted = known_codes(accept)
    async with opened(load_settings()) as service:
        context = service.context
        try:
            spec = write(context, await after_sending.follow_up(context, notice_id, kind))
            key = str(uuid.uuid4())
            examined = await examine_notice(context, spec, but_key=key, to_show=False)
            insist_on_yes(examined, accepted, as_json=as_json)
            new_id = await notice_service.post(
                context,
                spec,
                submission_key=key,
                staff=operator(),
                accepted=accepted,
                examined=examined,
            )
        except LookupError:
            fail(f"お知らせ {notice_id} はありません。", FAILED)
        except NoticeRefused as error:
            refuse(error)
        what = "訂正" if kind == NoticeKind.CORRECTION else "取り消し"
        talk.print(
            f"お知らせ {notice_id} の{what}を、お知らせ {new_id} として受け付けました。", highlight=False
        )
        code, status = await wait_for_end(service, new_id, timeout if wait else 0.0)
        if status is not None:
            show(status, as_json)
    raise typer.Exit(code if wait else OK)


async def _stop(notice_id: int, as_json: bool, show: Show) -> None:
    async with opened(load_settings()) as service:
        try:
            stopped = await after_sending.stop(service.context, notice_id, staff=operator())
            status = await notice_service.status(service.context, notice_id)
        except LookupError:
            fail(f"お知らせ {notice_id} はありません。", FAILED)
        waiting = status.state in ("scheduled", "held", "recurring")
        if waiting:
            fail(f"まだ送っていません。`kairanban notice cancel {notice_id}` で取り消してください。", FAILED)
        # Twice, or after the end, is no mistake: what was asked for is so.
        said = "配信を止めました。" if stopped else "止めるものは残っていません。"
        talk.print(f"{said}受付済みは{status.accepted:,}件です。", highlight=False)
        show(status, as_json)
