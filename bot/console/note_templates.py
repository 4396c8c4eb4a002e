"""Templates (ひな形) on the screen: a shelf for live and one for drill, each with the name of its department."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import ValidationError

from bot.console.access import StaffRequest
from bot.console.record_pages import find_or_404, free_key, save
from bot.console.words import category_words, language_words
from bot.forms import Fields, read_fields
from bot.pages import redirect
from channels.rendering import clean
from content.gaps import gaps_of
from content.notices.records import RecordKind, all_records, find_record
from content.staff.rights import departments
from content.town import Mode, Template
from scheduler.words import MODE_NAMES, URGENCY_NAMES

KIND = RecordKind.TEMPLATE
SHELVES = (Mode.LIVE, Mode.DRILL)
STALE = (
    "ほかの人が先に保存しました。下の文はあなたのもので、まだ保存していません。"
    "保存すると、ほかの人の変更に置きかわります。一覧から開くと、いまの文を確かめられます。"
)


async def show_list(staff_request: StaffRequest) -> web.Response:
    async with staff_request.service.database.read() as connection:
        records = {item.key: item for item in await all_records(connection, KIND)}
        names = {item.key: item.name for item in await departments(connection)}
    shelves = [
        (MODE_NAMES[shelf], [item for item in staff_request.service.town.templates if item.shelf == shelf])
        for shelf in SHELVES
    ]
    return staff_request.page(
        "console/templates.html",
        shelves=shelves,
        records=records,
        departments=names,
        category_name=category_words,
    )


async def show_new(staff_request: StaffRequest) -> web.Response:
    return await _form_page(staff_request, None, _blank(staff_request), 0, [])


async def show_edit(staff_request: StaffRequest) -> web.Response:
    found = await find_or_404(staff_request, KIND)
    values = _blank(staff_request)
    if found.content is not None:
        item: Template = found.content
        values |= item.model_dump(exclude={"texts", "key"})
        values["texts"] |= {tag: (words.title, words.body) for tag, words in item.texts.items()}
    return await _form_page(staff_request, found.key, values, found.version, [])


async def create(staff_request: StaffRequest) -> web.Response:
    return await _store(staff_request, None)


async def change(staff_request: StaffRequest) -> web.Response:
    return await _store(staff_request, (await find_or_404(staff_request, KIND)).key)


async def _store(staff_request: StaffRequest, key: str | None) -> web.Response:
    fields = await read_fields(staff_request.request)
    values, version = _read(staff_request, fields), _version(fields.get("version", ""))
    problems = _problems(staff_request, values) + await _problems_of_department(staff_request, values)
    if problems:
        return await _form_page(staff_request, key, values, version, problems)
    try:
        template = Template.model_validate(
            {
                **values,
                "key": key or free_key("t"),
                "texts": {
                    tag: {"title": title, "body": body}
                    for tag, (title, body) in values["texts"].items()
                    if title or body
                },
            }
        )
    except ValidationError as error:
        told = [item["msg"].removeprefix("Value error, ") for item in error.errors(include_url=False)]
        return await _form_page(staff_request, key, values, version, told)
    if await save(staff_request, KIND, template, version=version):
        return redirect("/console/templates")
    async with staff_request.service.database.read() as connection:
        newest = await find_record(connection, KIND, template.key)
    return await _form_page(staff_request, key, values, newest.version if newest else 0, [STALE], status=409)


def _read(staff_request: StaffRequest, fields: Fields) -> dict[str, Any]:
    def text(name: str) -> str:
        return clean(fields.get(name, "")).strip()

    return {
        "name": text("name"),
        "category": text("category"),
        "urgency": text("urgency"),
        "shelf": text("shelf"),
        "department": text("department"),
        "closed": "closed" in fields,
        "texts": {
            tag: (text(f"title.{tag}"), text(f"body.{tag}")) for tag in staff_request.service.town.languages
        },
    }


def _problems(staff_request: StaffRequest, values: dict[str, Any]) -> list[str]:
    problems = []
    if not values["name"] or len(values["name"]) > 80:
        problems.append("名前を80文字までで書いてください。")
    if values["category"] not in staff_request.service.town.category:
        problems.append("分野を一覧から選んでください。")
    elif not staff_request.staff.may("write", values["category"]):
        problems.append("この分野のひな形を変える権限がありません。")
    if values["urgency"] not in URGENCY_NAMES or values["shelf"] not in SHELVES:
        problems.append("緊急度と棚を選んでください。")
    if not all(values["texts"]["ja"]):
        problems.append("日本語の件名と本文を書いてください。")
    known = gaps_of({"ja": values["texts"]["ja"]})
    for tag, words in values["texts"].items():
        problems += [
            f"{language_words(tag)}の空欄 {{{{{name}}}}} は、日本語の文にありません。"
            f"日本語にある空欄は {'、'.join(known) or 'ありません'}。"
            for name in gaps_of({tag: words})
            if name not in known
        ]
    return problems


async def _problems_of_department(staff_request: StaffRequest, values: dict[str, Any]) -> list[str]:
    async with staff_request.service.database.read() as connection:
        known = {"", *(item.key for item in await departments(connection))}
    return [] if values["department"] in known else ["課を一覧から選んでください。"]


def _blank(staff_request: StaffRequest) -> dict[str, Any]:
    texts = dict.fromkeys(staff_request.service.town.languages, ("", ""))
    return {
        "name": "",
        "category": "",
        "urgency": "routine",
        "shelf": "live",
        "department": "",
        "closed": False,
        "texts": texts,
    }


async def _form_page(
    staff_request: StaffRequest,
    key: str | None,
    values: dict[str, Any],
    version: int,
    problems: list[str],
    *,
    status: int = 422,
) -> web.Response:
    async with staff_request.service.database.read() as connection:
        known = await departments(connection)
    # Once it was typed as a name.
    by_name = {item.name: item.key for item in known}
    return staff_request.page(
        "console/template.html",
        departments=known,
        department=by_name.get(values["department"], values["department"]),
        status=status if problems else 200,
        key=key,
        values=values,
        version=version,
        problems=problems,
        languages=staff_request.service.town.languages,
        language_name=language_words,
        urgencies=URGENCY_NAMES,
        shelves=[(shelf.value, MODE_NAMES[shelf]) for shelf in SHELVES],
    )


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
