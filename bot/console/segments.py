"""Segments (配信対象) on the screen: list, new, edit, close, with the count of now and where they are used."""

from __future__ import annotations

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.chosen_fields import ChosenFields, chosen_of, chosen_problems, read_chosen, rules_from
from bot.console.form import read_form
from bot.console.record_pages import find_or_404, free_key, save
from bot.console.words import language_words
from bot.forms import read_fields
from bot.pages import redirect
from channels.rendering import clean
from content.clock import today_jst
from content.notices.audience_counts import count_audience
from content.notices.chosen import describe_rules
from content.notices.record_uses import uses_of_segment
from content.notices.records import RecordKind, all_records, find_record
from content.notices.segments import NobodyMatches, Target, audience
from content.notices.states import TargetKind
from content.town import Segment
from scheduler.checks import Problem

KIND = RecordKind.SEGMENT


async def show_list(staff_request: StaffRequest) -> web.Response:
    town = staff_request.service.town
    async with staff_request.service.database.read() as connection:
        records = {item.key: item for item in await all_records(connection, KIND)}
    rows = [
        (item, describe_rules(town, item.rules), await _count(staff_request, item), records.get(item.key))
        for item in town.segments
    ]
    return staff_request.page("console/segments.html", rows=rows)


async def show_new(staff_request: StaffRequest) -> web.Response:
    return await _form_page(staff_request, None, "", ChosenFields(), 0, [])


async def show_edit(staff_request: StaffRequest) -> web.Response:
    found = await find_or_404(staff_request, KIND)
    if found.content is None:
        return await _form_page(staff_request, found.key, "", ChosenFields(), found.version, [])
    chosen = chosen_of(found.content.rules)
    fixed = "" if chosen is not None else describe_rules(staff_request.service.town, found.content.rules)
    return await _form_page(
        staff_request,
        found.key,
        found.content.name(),
        chosen or ChosenFields(),
        found.version,
        [],
        fixed=fixed,
    )


async def create(staff_request: StaffRequest) -> web.Response:
    return await _store(staff_request, None)


async def change(staff_request: StaffRequest) -> web.Response:
    return await _store(staff_request, (await find_or_404(staff_request, KIND)).key)


async def from_notice(staff_request: StaffRequest) -> web.Response:
    """The choice of a notice that is being written, with a name: the form of a new segment, filled in."""
    fields = await read_fields(staff_request.request)
    form = read_form(staff_request.service.town, fields)
    name = clean(fields.get("segment_name", "")).strip()
    return await _form_page(staff_request, None, name, form.chosen, 0, [])


async def close(staff_request: StaffRequest) -> web.Response:
    """Closed it matches nobody; opened again it is as it was."""
    found = await find_or_404(staff_request, KIND)
    fields = await read_fields(staff_request.request)
    if found.content is not None:
        content = found.content.model_copy(update={"closed": fields.get("closed") == "1"})
        await save(staff_request, KIND, content, version=_version(fields.get("version", "")))
    return redirect("/console/segments")


async def _store(staff_request: StaffRequest, key: str | None) -> web.Response:
    fields = await read_fields(staff_request.request)

    def text(name: str) -> str:
        return clean(fields.get(name, "")).strip()

    name, chosen, version = text("name"), read_chosen(fields, text), _version(text("version"))
    problems = [] if name else [Problem("name", "名前を書いてください。")]
    problems += chosen_problems(chosen, counts=True)
    rules = () if problems else rules_from(chosen)
    segment = Segment(key=key or free_key("s"), names={"ja": name or "?"}, rules=rules)
    if not problems:
        problems += _unusable(staff_request, segment)
    if problems:
        return await _form_page(staff_request, key, name, chosen, version, problems)
    if key is not None:
        known = staff_request.service.town.segment.get(key)
        segment = segment.model_copy(
            update={
                "closed": bool(known and known.closed),
                "names": {**(known.names if known else {}), "ja": name},
            }
        )
    if await save(staff_request, KIND, segment, version=version):
        return redirect("/console/segments")
    async with staff_request.service.database.read() as connection:
        newest = await find_record(connection, KIND, segment.key)
    told = Problem(
        "name",
        "ほかの人が先に保存しました。いまの条件は「"
        + (
            describe_rules(staff_request.service.town, newest.content.rules)
            if newest and newest.content
            else ""
        )
        + "」です。あなたの変更はまだ保存していません。よければ、もう一度保存してください。",
    )
    return await _form_page(
        staff_request, key, name, chosen, newest.version if newest else 0, [told], status=409
    )


def _unusable(staff_request: StaffRequest, segment: Segment) -> list[Problem]:
    """Why it would match nobody, by the very question that a fan-out asks."""
    town = staff_request.service.town
    seen = staff_request.service.with_town(
        type(town).model_construct(
            **{name: getattr(town, name) for name in type(town).model_fields} | {"segments": (segment,)}
        )
    ).town
    category = next((item.key for item in town.categories if not item.closed), "")
    try:
        audience(seen, Target(TargetKind.SEGMENT, segment.key), category, today_jst())
    except NobodyMatches as error:
        return [Problem("area", str(error))]
    return []


async def _count(staff_request: StaffRequest, segment: Segment) -> int | None:
    """Registrations now, of the town's first life-critical category or the first one; None when it matches nobody."""
    service = staff_request.service
    category = next(iter(service.town.always_categories), service.town.categories[0].key)
    accounts = [item.key for item in service.town.accounts]
    try:
        counts = await count_audience(
            service.database,
            service.town,
            Target(TargetKind.SEGMENT, segment.key),
            category,
            accounts,
            today_jst(),
        )
    except NobodyMatches:
        return None
    return sum(counts.values())


async def _form_page(
    staff_request: StaffRequest,
    key: str | None,
    name: str,
    chosen: ChosenFields,
    version: int,
    problems: list[Problem],
    *,
    fixed: str = "",
    status: int = 422,
) -> web.Response:
    errors: dict[str, list[str]] = {}
    for item in problems:
        errors.setdefault(item.field, []).append(item.message)
    uses = []
    if key is not None:
        async with staff_request.service.database.read() as connection:
            uses = await uses_of_segment(connection, key)
    return staff_request.page(
        "console/segment.html",
        status=status if problems else 200,
        key=key,
        name=name,
        version=version,
        # The parts of the form of a notice ask the same.
        form={"chosen": chosen, "category": ""},
        fixed=fixed,
        errors=errors,
        uses=uses,
        language_name=language_words,
    )


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
