"""subscribers import --mode update, end: a list that changes registrations, or ends them."""

from __future__ import annotations

from pathlib import Path

import typer

from bot.commands.common import USAGE, fail, operator, progress, talk
from bot.service import Service
from content.clock import now_ms
from content.register.history import HISTORY_COLUMNS
from content.register.office_rows import read_header
from content.register.subscribers_csv import Table
from content.register.updating import CHANGEABLE, ImportMode, Outcome, apply
from content.staff import audit

NOTHING = "何も変えていません"
DONE = {ImportMode.UPDATE: "設定を変えた登録", ImportMode.END: "終了した登録"}
ACTIONS = {
    ImportMode.UPDATE: "subscribers.updated_by_list",
    ImportMode.END: "subscribers.ended_by_list",
}


def check(table: Table, mode: ImportMode, file: Path) -> None:
    """Whether a list of this kind can be taken."""
    columns = set(read_header(list(table.header)))
    if columns & set(HISTORY_COLUMNS):
        fail(
            f"{file}: {NOTHING}。登録の記録の列({'、'.join(HISTORY_COLUMNS)})がある、書き出したファイルのままです。"
            "対象の行だけを残し、これらの列を消してください。",
            USAGE,
        )
    if mode == ImportMode.UPDATE and "groups" in columns:
        fail(
            f"{file}: {NOTHING}。グループは `kairanban groups import` で出し入れしてください。列を消すと取り込めます。",
            USAGE,
        )
    if mode == ImportMode.UPDATE and not columns & set(CHANGEABLE):
        fail(f"{file}: {NOTHING}。宛先のほかに、変える列がありません。", USAGE)


async def say_what_would_be(service: Service, table: Table, mode: ImportMode) -> None:
    found = await apply(
        service.database,
        service.keys,
        list(zip(table.registrations, table.given, strict=True)),
        mode,
        lambda _: None,
        at=now_ms(),
        only_count=True,
    )
    bad = f"、問題のある行 {len(table.bad)}行" if table.bad else ""
    talk.print(f"ためしです。何も変えていません。{_words(found, mode)}{bad}", highlight=False)
    for _, problem in table.bad:
        talk.print(str(problem), markup=False, highlight=False, soft_wrap=True)


async def ask(service: Service, table: Table) -> None:
    """Nobody is ended by a slip."""
    await say_what_would_be(service, table, ImportMode.END)
    if not typer.confirm("この登録を終了しますか。避難のお知らせも届かなくなります", err=True):
        fail(f"やめました。{NOTHING}。", USAGE)


async def make(service: Service, table: Table, mode: ImportMode) -> None:
    now = now_ms()
    async with service.database.write() as connection:
        await audit.record(
            connection, at=now, actor=operator(), action=ACTIONS[mode], number=len(table.registrations)
        )
    with progress("変更" if mode == ImportMode.UPDATE else "終了", len(table.registrations)) as advance:
        found = await apply(
            service.database,
            service.keys,
            list(zip(table.registrations, table.given, strict=True)),
            mode,
            advance,
            at=now,
        )
    talk.print(_words(found, mode), highlight=False)
    if found.unknown:
        talk.print(
            "登録のない宛先には、何もしていません。新しく登録するときは --mode add で取り込んでください。",
            highlight=False,
        )


def _words(found: Outcome, mode: ImportMode) -> str:
    same = f"、すでにその設定の登録 {found.same}件" if mode == ImportMode.UPDATE else ""
    return f"{DONE[mode]} {found.done}件{same}、前に終了した登録 {found.left}件、登録のない宛先 {found.unknown}件"
