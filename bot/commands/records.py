"""records export, import, calendar: what staff keep as files, for sharing between towns."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands.common import USAGE, fail, load_settings, opened, operator, run, talk
from bot.record_problems import problem_words
from content.clock import now_ms
from content.notices.records import Content, RecordKind, TownRecord

app = typer.Typer(
    no_args_is_help=True,
    help="配信対象・ひな形・文の暦・よくある質問・避難場所・計画(施策・指標・評価表)をファイルで出し入れする.",
)
SECTIONS = {
    "segments": RecordKind.SEGMENT,
    "templates": RecordKind.TEMPLATE,
    "calendars": RecordKind.CALENDAR,
    "faqs": RecordKind.FAQ,
    "shelters": RecordKind.SHELTER,
    "plans": RecordKind.PLAN,
    "indicators": RecordKind.INDICATOR,
    "policies": RecordKind.POLICY,
    "sheets": RecordKind.SHEET,
}


@app.command()
def export() -> None:
    """Write all of them as TOML to standard output."""
    run(_export())


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="TOML, as `records export` writes it.")],
    dry_run: Annotated[bool, typer.Option(help="Only say what would change.")] = False,
) -> None:
    """Add what is new and change what differs, by key; all or nothing. Nothing is deleted."""
    run(_import(_read(file), dry_run))


@app.command()
def calendar(
    file: Annotated[Path, typer.Argument(help="CSV, UTF-8 or CP932: 日付 and the fields.")],
    key: Annotated[str, typer.Option(help="Key of the calendar.")],
    name: Annotated[str, typer.Option(help="Its name on the screen.")],
    dry_run: Annotated[bool, typer.Option(help="Only say what would change.")] = False,
) -> None:
    """Read a calendar of words from a spreadsheet's CSV and put it in the place of the one with this key."""
    from content.notices.calendars import CalendarError, WordCalendar, read_calendar

    try:
        columns, days = read_calendar(file.read_bytes())
        made = WordCalendar(key=key, name=name, columns=columns, days=days)
    except CalendarError as error:
        fail(f"{file}: {error}", USAGE)
    except OSError as error:
        fail(f"{file}: {error.strerror}", USAGE)
    except ValueError as error:
        fail(f"--key {key}: small letters, digits, - and _ only ({type(error).__name__})", USAGE)
    run(_import([(RecordKind.CALENDAR, made)], dry_run))


def _read(file: Path) -> list[tuple[RecordKind, Content]]:
    """What stands in a file; ends with the field and the remedy when something is wrong."""
    from pydantic import ValidationError

    from content.notices.records import MODELS

    try:
        sections = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        fail(f"{file}: {error.strerror}", USAGE)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        fail(f"{file} is not TOML in UTF-8: {error}", USAGE)
    found: list[tuple[RecordKind, Content]] = []
    for section, items in sections.items():
        if section not in SECTIONS:
            fail(f"{file}: no section {section}; there are {', '.join(SECTIONS)}", USAGE)
        for number, item in enumerate(items if isinstance(items, list) else [items], 1):
            try:
                found.append((SECTIONS[section], MODELS[SECTIONS[section]].model_validate(item)))
            except ValidationError as error:
                problem = error.errors(include_url=False)[0]
                place = ".".join(str(part) for part in problem["loc"] if part not in ("", "[key]"))
                fail(f"{file}: {section} no. {number}: {place}: {problem_words(problem)}", USAGE)
    keys = [(kind, item.key) for kind, item in found]
    doubles = [key for kind, key in keys if keys.count((kind, key)) > 1]
    if doubles:
        fail(f"{file}: key {doubles[0]} stands twice; give each its own", USAGE)
    return found


async def _export() -> None:
    from content.notices.records import all_records

    async with opened(load_settings()) as service, service.database.read() as connection:
        records = await all_records(connection)
    for section, kind in SECTIONS.items():
        for record in records:
            if record.kind == kind and record.content is not None:
                plain = record.content.model_dump(mode="json", exclude_defaults=True)
                lines = [f"{_key(name)} = {_toml(value)}" for name, value in plain.items()]
                sys.stdout.write("\n".join([f"[[{section}]]", *lines]) + "\n\n")


async def _import(brought: list[tuple[RecordKind, Content]], dry_run: bool) -> None:
    from content.notices.records import add_record, all_records, change_record
    from content.staff import audit
    from content.staff.rights import departments

    async with opened(load_settings()) as service:
        at, who = now_ms(), operator()
        async with service.database.write() as connection:
            _refuse_unknown_departments(
                brought, {item.key: item.name for item in await departments(connection)}
            )
            await _refuse_misfits(connection, brought)
            known = {(item.kind, item.key): item for item in await all_records(connection)}
            for kind, content in brought:
                before = known.get((kind, content.key))
                talk.print(_line(kind, content, before), markup=False, highlight=False)
                if dry_run or (before and before.content == content):
                    continue
                if before is None:
                    await add_record(connection, kind, content, staff=who, at=at)
                else:
                    await change_record(connection, kind, content, version=before.version, staff=who, at=at)
                await audit.record(
                    connection,
                    at=at,
                    actor=who,
                    action=f"{kind}.{'changed' if before else 'added'}",
                    subject=f"{kind} {content.key}",
                )
    if dry_run:
        talk.print("--dry-run: 何も変えていません。", markup=False, highlight=False)


def _refuse_unknown_departments(brought: list[tuple[RecordKind, Content]], known: dict[str, str]) -> None:
    for kind, content in brought:
        key = getattr(content, "department", "")
        if key and key not in known:
            words = "、".join(f"{item}({name})" for item, name in known.items())
            fail(
                f"{kind} {content.key}: department: 課「{key}」は登録されていません。あるのは {words} です。"
                "管理画面の「職員」で課を登録するか、ファイルのこの行を直すか消してください。何も変えていません。",
                USAGE,
            )


async def _refuse_misfits(connection: AsyncConnection, brought: list[tuple[RecordKind, Content]]) -> None:
    """Plans, policies, indicators and sheets must fit together as they will stand."""
    from content.clock import today_jst
    from content.figures.plans import read_plans, with_items
    from content.plans.checks import Item, misfits

    items = [content for _, content in brought if isinstance(content, Item)]
    known = with_items(await read_plans(connection), items)
    for item in items:
        for told in misfits(item, known, today_jst()):
            fail(f"{item.key}: {told}何も変えていません。", USAGE)


def _line(kind: RecordKind, content: Content, before: TownRecord | None) -> str:
    word = "追加" if before is None else ("同じ" if before.content == content else "変更")
    fields = _changed_fields(before.content, content) if before and word == "変更" else ""
    return f"{word}: {kind} {content.key}{fields}"


def _changed_fields(before: Content | None, after: Content) -> str:
    if before is None:
        return ""
    old, new = before.model_dump(), after.model_dump()
    return f" ({', '.join(name for name in new if old.get(name) != new[name])})"


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else _toml(name)


def _toml(value: Any) -> str:
    """A value in TOML. A string of JSON is one of TOML, but for one control character."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_toml(item)}" for name, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
