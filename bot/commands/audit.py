"""audit show, verify, line: who did what and when, and whether the trail is what was written."""

from __future__ import annotations

import json as json_format
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.audit_words import WORDS
from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, print_json, run, talk
from bot.commands.private_output import close_output_to_others
from bot.service import Service
from content.clock import end_of_day, iso, now_ms, start_of_day, today_jst
from content.staff import audit, audit_chain, audit_line
from content.staff.audit import Entry
from content.staff.audit_chain import Broken
from scheduler import audit_lines

app = typer.Typer(no_args_is_help=True, help="操作の記録.")
HEAD = re.compile(r"[1-9]\d{0,17}:[0-9a-f]{16}")
WHY = {
    "changed": "内容が、書かれたときと違います",
    "gone": "消されています",
    "not_as_noted": "控えておいた印と合いません。ここより前のどこかで、記録が消されて作り直されています",
}


@app.command()
def show(
    actor: Annotated[str | None, typer.Option(help="Only of this login; cli:NAME for commands.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this: 'notice 12', 'staff 3'.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this act: notice.approved.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="From this day on, in Japan.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Up to this day, in Japan.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 50,
    sources: Annotated[
        bool, typer.Option("--sources", help="With network addresses; that you looked is recorded.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Entries of the audit trail, the newest first."""
    chosen = {
        "actor": actor,
        "subject": subject,
        "action": action,
        "since": start_of_day(since.date()) if since else None,
        "before": end_of_day(until.date()) if until else None,
        "limit": limit,
    }
    run(_show(chosen, sources, json))


@app.command()
def verify(
    noted: Annotated[
        str, typer.Option(help="A line NUMBER:HASH that this command or the log gave before.")
    ] = "",
    lines: Annotated[
        Path | None,
        typer.Option(
            help="A file with the daily lines that were kept elsewhere (AUDIT__LINE_FILE, or mails saved as text).",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Whether every entry is what was written; exit code 1 names the first that is not."""
    if noted and not HEAD.fullmatch(noted):
        fail("--noted: 「番号:印」の形で書いてください(例 1234:0123456789abcdef)。", USAGE)
    run(_verify(noted, lines, json))


@app.command()
def line() -> None:
    """Print the line of today that proves the trail from outside: keep it elsewhere, for `verify --lines`."""
    run(_print_line())


async def _show(chosen: dict[str, Any], with_sources: bool, as_json: bool) -> None:
    if with_sources:
        close_output_to_others()
    async with opened(load_settings()) as service:
        async with service.database.read() as connection:
            found = await audit.entries(connection, **chosen)
        if with_sources:
            async with service.database.write() as connection:
                await audit.record(
                    connection,
                    at=now_ms(),
                    actor=operator(),
                    action="audit.sources_viewed",
                    entries=len(found),
                )
    if as_json:
        print_json([_as_json(entry, with_sources) for entry in found])
        return
    for entry in found:
        sys.stdout.write(_line(entry, with_sources) + "\n")
    if not found:
        talk.print("当てはまる記録はありません。", highlight=False)


async def _print_line() -> None:
    async with opened(load_settings()) as service:
        head = await audit_lines.newest_head(service.context)
    made = audit_line.make(service.keys, service.town.code, today_jst(), head)
    sys.stdout.write(f"{made}\n")


def _read_lines(file: Path, service: Service) -> list[str]:
    """The heads of all lines in a file; whatever stands around them is passed over."""
    found = [
        line
        for text in file.read_text("utf-8", errors="replace").splitlines()
        if (line := audit_line.read(text))
    ]
    if not found:
        fail(f"--lines: {file} に、操作の記録の控え(kairanban-audit で始まる行)がありません。", USAGE)
    for line in found:
        if line.code != service.town.code or not audit_line.is_own(service.keys, line):
            fail(
                f"--lines: {line.day.isoformat()} の控えは、このサービスが書いたものではありません。"
                "写しまちがい、ほかの町のもの、または鍵を替える前のものです。",
                FAILED,
            )
    # What was not yet written on a day has no head.
    return [line.head for line in found if line.number]


async def _verify(noted: str, lines: Path | None, as_json: bool) -> None:
    async with opened(load_settings()) as service:
        heads = [noted] if noted else []
        if lines is not None:
            heads += _read_lines(lines, service)
        found = await audit_chain.verify(service.database, service.keys, heads)
    if isinstance(found, Broken):
        if as_json:
            print_json(
                {
                    "whole": False,
                    "number": found.number,
                    "entry": found.entry_id,
                    "at": iso(found.at),
                    "why": found.why,
                }
            )
        which = f"{found.number}番目の記録" + (f"({iso(found.at)})" if found.at else "")
        fail(f"操作の記録が書きかえられています。{which}: {WHY[found.why]}。", FAILED)
    if as_json:
        print_json({"whole": True, "entries": found.number, "head": str(found)})
        return
    talk.print(f"{found.number}件の記録は、書かれたときのままです。", highlight=False)
    if lines is not None:
        talk.print(f"外に置いた控え{len(heads)}件とも合っています。", highlight=False)
    if found.number:
        talk.print("次の行を紙などに控えておくと、あとで --noted で確かめられます。", highlight=False)
        sys.stdout.write(f"{found}\n")


def _line(entry: Entry, with_sources: bool) -> str:
    detail = json_format.dumps(entry.detail, ensure_ascii=True) if entry.detail else ""
    parts = [
        str(iso(entry.at)),
        entry.actor,
        WORDS.get(entry.action, entry.action),
        entry.subject,
        entry.source if with_sources else "",
        detail,
    ]
    return "  ".join(part for part in parts if part)


def _as_json(entry: Entry, with_sources: bool) -> dict[str, object]:
    source = {"source": entry.source or None} if with_sources else {}
    return {
        "id": entry.id,
        "at": iso(entry.at),
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "detail": entry.detail,
        **source,
    }
