"""Plans, policies and indicators on the screen: a form, what it would change, and only then the change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from bot.console.access import StaffRequest
from bot.console.plan_fields import SPARE, Values, fields_of, merged, values_of
from bot.console.plan_words import CHOICES, label_of, shown
from bot.console.record_pages import free_key, save
from bot.console.words import channel_words
from bot.forms import read_fields
from bot.pages import redirect
from bot.record_problems import problem_words
from channels.rendering import clean
from content.clock import today_jst
from content.figures.hand_series import all_series
from content.figures.plans import read_plans, with_items
from content.notices.records import MODELS, RecordKind, TownRecord, find_record
from content.plans.checks import Plans, misfits
from content.plans.models import Plan, PlanIndicator, Policy
from content.staff.rights import departments

NAMES = {"plan": "計画", "policy": "施策", "indicator": "指標"}
STALE = (
    "ほかの人が先に変えました。あなたが変えていないところは、いまの内容に合わせました。"
    "下に、いまの内容とあなたの入力の違いを示します。まだ保存していません。"
)
# Cells of a table that are offered: a form may hold 500 fields.
MOST_CELLS = 300
Record = Plan | Policy | PlanIndicator


@dataclass(frozen=True, slots=True)
class Asked:
    """The record of a request: `found` is None for a new one, `plan` for an indicator of no plan."""

    kind: RecordKind
    key: str
    found: TownRecord | None
    plan: Plan | None
    plans: Plans

    @property
    def years(self) -> tuple[int, ...]:
        """Those of the plan, or of what the indicator has."""
        if self.plan is not None:
            return self.plan.years
        item = self.found.content if self.found else None
        known = {*item.targets, *item.actual} if isinstance(item, PlanIndicator) else set()
        return tuple(range(min(known), max(known) + 1)) if known else ()

    @property
    def before(self) -> dict[str, Any]:
        stands = self.found.content if self.found else None
        return {} if stands is None else stands.model_dump(mode="json", exclude_defaults=True)


async def show_form(staff_request: StaffRequest) -> web.Response:
    query = staff_request.request.query
    asked = await _asked(staff_request, query.get("plan", ""), "")
    stands = asked.found.content if asked.found else None
    values = values_of(stands, asked.years) if stands else _blank(staff_request, asked)
    return await _form_page(staff_request, asked, values, asked.found.version if asked.found else 0, [])


async def store(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    typed = {name: clean(text.replace("\r\n", "\n")).strip() for name, text in fields.items()}
    typed = {name: text for name, text in typed.items() if text}
    asked = await _asked(staff_request, typed.get("plan", ""), typed.get("key", ""))
    sent = typed.get("version", "0")
    version = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else 0
    item, problems = _read(asked, typed)
    if item is None or problems:
        return await _form_page(staff_request, asked, typed, version, problems, status=422)
    stands = asked.found.content if asked.found else None
    item = _signed(item, stands, staff_request.staff.login)
    if stands == item:
        return redirect(_after(asked))  # nothing to change, or a form that was sent twice
    changes = _differences(asked, stands, item)
    if (asked.found.version if asked.found else 0) != version:
        return await _stale_page(staff_request, asked, typed)
    if not typed.get("sure"):
        return staff_request.page(
            "console/plan_record_confirm.html",
            name=NAMES[asked.kind],
            item=item,
            changes=changes,
            is_new=asked.found is None,
            typed={name: text for name, text in typed.items() if name not in ("csrf", "sure", "again")},
            own=_own(asked),
            key=asked.key,
        )
    if typed.get("again"):
        return await _form_page(staff_request, asked, typed, version, [])
    if await save(staff_request, asked.kind, item, version=version):
        return redirect(_after(asked))
    asked = await _asked(staff_request, typed.get("plan", ""), asked.key)
    stands = asked.found.content if asked.found else None
    if stands == item:
        return redirect(_after(asked))
    return await _stale_page(staff_request, asked, typed)


async def _stale_page(staff_request: StaffRequest, asked: Asked, typed: Mapping[str, str]) -> web.Response:
    """Her changes on top of what stands now, and where the two differ."""
    stands = asked.found.content if asked.found else None
    now = values_of(stands, asked.years) if stands else {}
    own = merged(_base(typed), now, typed)
    item, problems = _read(asked, own)
    changes = _differences(asked, stands, item) if item else []
    values = own | {"base": json.dumps(now, ensure_ascii=False)}
    return await _form_page(
        staff_request, asked, values, _version(asked), [STALE, *problems], changes, status=409
    )


def _base(typed: Mapping[str, str]) -> Values:
    """What the form showed when it was opened; nothing when that did not come back whole."""
    try:
        found = json.loads(typed.get("base", ""))
    except ValueError:
        return {}
    return {name: str(text) for name, text in found.items()} if isinstance(found, dict) else {}


async def _asked(staff_request: StaffRequest, plan: str, new_key: str) -> Asked:
    """404 for a kind or a key that there is not, and for a policy of no plan."""
    match = staff_request.request.match_info
    if match["kind"] not in NAMES:
        raise web.HTTPNotFound
    kind, key = RecordKind(match["kind"]), match["key"]
    async with staff_request.service.database.read() as connection:
        plans = await read_plans(connection)
        is_new = key == "new"
        key = (new_key or free_key(kind[0])) if is_new else key
        found = await find_record(connection, kind, key)
    if found is None and not is_new:
        raise web.HTTPNotFound
    content = found.content if found else None
    named = _plan_of(content, plans) if isinstance(content, Policy | PlanIndicator) else plan
    of = content if isinstance(content, Plan) else plans.plans.get(named)
    if kind == RecordKind.POLICY and of is None:
        raise web.HTTPNotFound
    return Asked(kind, key, found, of, plans)


def _plan_of(item: Policy | PlanIndicator, plans: Plans) -> str:
    """The plan it names, else the first whose policy names it."""
    return item.plan or next((one.plan for one in plans.policies.values() if item.key in one.indicators), "")


def _signed(item: Record, before: Record | None, login: str) -> Record:
    """Each actual that is new or differs bears the name of who entered it."""
    if not isinstance(item, PlanIndicator):
        return item
    stood = before.actual if isinstance(before, PlanIndicator) else {}
    actuals = [
        one if one == stood.get(one.year) else one.model_copy(update={"entered_by": login})
        for one in item.actuals
    ]
    return item.model_copy(update={"actuals": tuple(actuals)})


def _read(asked: Asked, typed: Mapping[str, str]) -> tuple[Record | None, list[str]]:
    """The record that the form asks for, or what is wrong with it."""
    given = fields_of(asked.kind, typed, asked.before, asked.years) | {"key": asked.key}
    if asked.kind != RecordKind.PLAN and asked.found is None:
        given["plan"] = asked.plan.key if asked.plan else ""
    try:
        item = MODELS[asked.kind].model_validate(given)
    except ValidationError as error:
        told = [
            f"{label_of(_with_year(problem['loc'], given))}: {problem_words(problem)}".removeprefix(": ")
            for problem in error.errors(include_url=False)
        ]
        return None, list(dict.fromkeys(told))
    assert isinstance(item, Plan | Policy | PlanIndicator)
    return item, misfits(item, with_items(asked.plans, [item]), today_jst())


def _with_year(loc: tuple[int | str, ...], given: Mapping[str, Any]) -> tuple[int | str, ...]:
    """An actual by its year, not by its place in the list."""
    if len(loc) < 2 or loc[0] != "actuals" or not isinstance(loc[1], int):
        return loc
    return ("actuals", given["actuals"][loc[1]]["year"], *loc[2:])


def _differences(asked: Asked, before: Record | None, after: Record) -> list[tuple[str, str, str]]:
    """(what, before, after) of each field that differs, in the words of the screen."""
    old = values_of(before, asked.years) if before else {}
    new = values_of(after, asked.years)
    return [
        (_label(asked, name), shown(name, old.get(name, "")), shown(name, new.get(name, "")))
        for name in dict.fromkeys([*new, *old])
        if old.get(name, "") != new.get(name, "")
    ]


def _label(asked: Asked, name: str) -> str:
    first, _, rest = name.partition(".")
    if first == "count":
        return f"{label_of((first,))} {channel_words(rest)}"
    if first == "indicators":
        known = asked.plans.indicators.get(rest)
        return f"{label_of((first,))} {known.name if known else rest}"
    return label_of(tuple(name.split(".")))


def _version(asked: Asked) -> int:
    return asked.found.version if asked.found else 0


def _own(asked: Asked) -> str:
    return f"/console/plan-records/{asked.kind}/{asked.key if asked.found else 'new'}"


def _after(asked: Asked) -> str:
    """The plan's page; a new plan has its own."""
    key = asked.key if asked.kind == RecordKind.PLAN else (asked.plan.key if asked.plan else "")
    return f"/console/plans/{key}" if key else "/console/plans"


def _blank(staff_request: StaffRequest, asked: Asked) -> Values:
    if asked.kind == RecordKind.PLAN:
        town = staff_request.service.town
        return {"town": f"{town.name}({town.prefecture})", "layout": "shibata-results"}
    return {"kind": "number", "measured": "cumulative", "better": "higher", "unit": "件"}


async def _form_page(
    staff_request: StaffRequest,
    asked: Asked,
    values: Mapping[str, str],
    version: int,
    problems: list[str],
    changes: list[tuple[str, str, str]] | None = None,
    *,
    status: int = 200,
) -> web.Response:
    async with staff_request.service.database.read() as connection:
        offices = [(item.key, item.name) for item in await departments(connection)]
        series = [(item.key, item.name) for item in await all_series(connection)]
    rows = {"steps": _rows(values, "steps", len(asked.years) + 1), "costs": _rows(values, "costs", 3)}
    ticked = [name.partition(".")[2] for name in values if name.startswith("indicators.")]
    of_plan = asked.plans.indicators_of(asked.plan.key) if asked.plan else []
    loose = [item for item in asked.plans.indicators.values() if not item.plan]
    offered = {item.key: item.name for item in [*of_plan, *loose] if not item.closed or item.key in ticked}
    return staff_request.page(
        "console/plan_record.html",
        status=status,
        kind=asked.kind.value,
        name=NAMES[asked.kind],
        is_new=asked.found is None,
        own=_own(asked),
        back=_after(asked) if asked.found or asked.kind != RecordKind.PLAN else "/console/plans",
        key=asked.key,
        plan=asked.plan,
        values=values,
        base=values.get("base") or json.dumps(dict(values), ensure_ascii=False),
        version=version,
        problems=problems,
        changes=changes or [],
        years=asked.years,
        choices=CHOICES,
        channels=[(key, channel_words(key)) for key in staff_request.service.town.channels],
        departments=offices,
        series=series,
        indicators=offered,
        rows=rows,
    )


def _rows(values: Mapping[str, str], name: str, width: int) -> int:
    """Rows to show: all that are filled, and a few empty ones as long as there is room."""
    filled = [
        int(parts[1]) + 1
        for key in values
        if len(parts := key.split(".")) == 3
        and parts[0] == name
        and parts[1].isdecimal()
        and len(parts[1]) < 3
    ]
    full = max(filled, default=0)
    return max(full, min(full + SPARE, MOST_CELLS // width))
