"""Plan, policy and indicator as fields of a form: out of a record, and back into what its model takes.

What the form does not show, such as a number given beside words, stays as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, get_args

from content.plans.models import Beside, Plan, PlanIndicator, Policy
from content.town import ChannelName

Values = dict[str, str]
SEPARATORS = re.compile(r"[、,，\n]+")
# Rows of a schedule and of costs that stand empty for more.
SPARE = 2


def values_of(item: Plan | Policy | PlanIndicator, years: tuple[int, ...]) -> Values:
    """Every field of the form as text; what is empty is left out."""
    match item:
        case Plan():
            found = _of_plan(item)
        case Policy():
            found = _of_policy(item, years)
        case PlanIndicator():
            found = _of_indicator(item, years)
    return {name: text for name, text in found.items() if text}


def merged(base: Mapping[str, str], now: Mapping[str, str], typed: Mapping[str, str]) -> Values:
    """Two officers' changes of one form: what she left as it was when she opened it (`base`) becomes what it is
    `now`; where she changed something hers stands."""
    held = {name: text for name, text in typed.items() if text != base.get(name, "")}
    kept = {name: text for name, text in now.items() if typed.get(name, "") == base.get(name, "")}
    return {**kept, **held}


def fields_of(
    kind: str, typed: Mapping[str, str], before: Mapping[str, Any], years: tuple[int, ...]
) -> dict[str, Any]:
    """What the model of this kind takes; `before` is the record as it stands, in the form of its file."""
    read = {"plan": _plan_fields, "policy": _policy_fields, "indicator": _indicator_fields}[kind]
    return {**before, **read(typed, before, years)}


def _of_plan(item: Plan) -> Values:
    lines = []
    for scale in item.scales:
        words = "、".join(f"{one.name}={one.meaning}" if one.meaning else one.name for one in scale.grades)
        lines.append(f"{scale.name}: {words}")
    return {
        "name": item.name,
        "town": item.town,
        "first_year": str(item.first_year),
        "last_year": str(item.last_year),
        "source": item.source,
        "layout": item.layout,
        "scales": "\n".join(lines),
        "closed": "1" if item.closed else "",
    }


def _plan_fields(typed: Mapping[str, str], before: Mapping[str, Any], _: tuple[int, ...]) -> dict[str, Any]:
    known = {scale["name"]: scale["key"] for scale in before.get("scales", ())}
    scales = []
    for number, line in enumerate(filter(None, map(str.strip, typed.get("scales", "").split("\n"))), 1):
        name, _colon, words = unicodedata.normalize("NFKC", line).partition(":")
        grades = [word.partition("=") for word in _list(words)]
        scales.append(
            {
                "key": known.get(name.strip(), f"scale-{number}"),
                "name": name,
                "grades": [{"name": grade, "meaning": meaning} for grade, _sign, meaning in grades],
            }
        )
    _keep_keys_apart(scales)
    return {
        **{name: typed.get(name, "") for name in ("name", "town", "source", "layout")},
        "first_year": plain_number(typed.get("first_year", "")),
        "last_year": plain_number(typed.get("last_year", "")),
        "scales": scales,
        "closed": bool(typed.get("closed")),
    }


def _keep_keys_apart(scales: list[dict[str, Any]]) -> None:
    taken: set[str] = set()
    for scale in scales:
        while scale["key"] in taken:
            scale["key"] += "x"
        taken.add(scale["key"])


def _of_policy(item: Policy, years: tuple[int, ...]) -> Values:
    found = {
        **{name: getattr(item, name) for name in ("number", "name", "goal", "aim")},
        **{name: "、".join(getattr(item, name)) for name in ("owners", "related", "marks")},
        "order": str(item.order),
        "closed": "1" if item.closed else "",
    }
    found |= {f"indicators.{key}": "1" for key in item.indicators}
    for row, step in enumerate(item.steps):
        found[f"steps.{row}.name"] = step.name
        found |= {f"steps.{row}.{year}": step.years.get(year, "") for year in years}
    for row, cost in enumerate(item.costs):
        found |= {f"costs.{row}.name": cost.name, f"costs.{row}.amount": f"{cost.amount:,}"}
        found[f"costs.{row}.first_year"] = str(cost.first_year or "")
    return found


def _policy_fields(
    typed: Mapping[str, str], before: Mapping[str, Any], years: tuple[int, ...]
) -> dict[str, Any]:
    steps, costs = [], []
    for row in range(_rows(typed, "steps")):
        words = {year: typed[name] for year in years if typed.get(name := f"steps.{row}.{year}")}
        if words or typed.get(f"steps.{row}.name"):
            steps.append({"name": typed.get(f"steps.{row}.name", ""), "years": words})
    for row in range(_rows(typed, "costs")):
        name, amount, first = (
            typed.get(f"costs.{row}.{part}", "") for part in ("name", "amount", "first_year")
        )
        if name or amount:
            costs.append(
                {"name": name, "amount": plain_number(amount), "first_year": plain_number(first) or None}
            )
    ticked = [
        name.partition(".")[2] for name, text in typed.items() if name.startswith("indicators.") and text
    ]
    stood = [key for key in before.get("indicators", ()) if key in ticked]
    return {
        **{name: typed.get(name, "") for name in ("number", "name", "goal", "aim")},
        **{name: _list(typed.get(name, "")) for name in ("owners", "related", "marks")},
        "order": plain_number(typed.get("order", "")) or 0,
        "steps": steps,
        "costs": costs,
        "indicators": [*stood, *(key for key in ticked if key not in stood)],
        "closed": bool(typed.get("closed")),
    }


def _of_indicator(item: PlanIndicator, years: tuple[int, ...]) -> Values:
    names = ("number", "name", "unit", "kind", "measured", "better", "definition", "department", "series")
    found = {name: str(getattr(item, name)) for name in names}
    found |= {f"count.{channel}": "1" for channel in (item.count.channels if item.count else ())}
    found["closed"] = "1" if item.closed else ""
    if item.baseline:
        found |= {"baseline.text": item.baseline.text, "baseline.label": item.baseline.label}
    found["remarks"] = "\n".join(f"{note.month} {note.text}" for note in item.remarks)
    for year in years:
        if (target := item.targets.get(year)) is not None:
            found |= {f"targets.{year}.text": target.text, f"targets.{year}.note": target.note}
        if (actual := item.actual.get(year)) is not None:
            place = f"actuals.{year}"
            found |= {f"{place}.{part}": getattr(actual, part) for part in ("text", "source", "note")}
            found[f"{place}.as_of"] = actual.as_of.isoformat() if actual.as_of else ""
            found[f"{place}.beside"] = _pairs(actual.beside)
            found[f"{place}.adjustments"] = _pairs(actual.adjustments)
        if year in item.costs:
            found[f"costs.{year}"] = f"{item.costs[year]:,}"
    return found


def _indicator_fields(
    typed: Mapping[str, str], before: Mapping[str, Any], years: tuple[int, ...]
) -> dict[str, Any]:
    names = ("number", "name", "unit", "kind", "measured", "better", "definition", "department", "series")
    channels = [channel for channel in get_args(ChannelName) if typed.get(f"count.{channel}")]
    base = typed.get("baseline.text", "")
    stood = {item["year"]: item for item in before.get("actuals", ())}
    outside = [item for year, item in stood.items() if year not in years]
    return {
        **{name: typed.get(name, "") for name in names},
        "count": {"channels": channels} if channels else None,
        "baseline": {"text": base, "label": typed.get("baseline.label", "")} if base else None,
        "targets": _targets(typed, before.get("targets", {}), years),
        "actuals": [
            *outside,
            *(_actual(typed, year, stood.get(year)) for year in years if _is_written(typed, year)),
        ],
        "costs": {
            **{year: cost for year, cost in before.get("costs", {}).items() if int(year) not in years},
            **{year: plain_number(text) for year in years if (text := typed.get(f"costs.{year}", ""))},
        },
        "remarks": [
            {"month": line[:7], "text": line[7:]}
            for line in filter(None, map(str.strip, typed.get("remarks", "").split("\n")))
        ],
        "closed": bool(typed.get("closed")),
    }


def _targets(typed: Mapping[str, str], stood: Mapping[str, Any], years: tuple[int, ...]) -> dict[str, Any]:
    found = {year: value for year, value in stood.items() if int(year) not in years}
    for year in years:
        text, note = typed.get(f"targets.{year}.text", ""), typed.get(f"targets.{year}.note", "")
        old = stood.get(str(year), {})
        old = {"text": old} if isinstance(old, str) else old
        if text or note:
            # A date and a number of a value go with its words.
            more = old if old.get("text") == text else {}
            found[str(year)] = {**more, "text": text, "note": note}
    return found


def _actual(typed: Mapping[str, str], year: int, stood: Mapping[str, Any] | None) -> dict[str, Any]:
    place, old = f"actuals.{year}", stood or {}
    more = {
        key: old[key] for key in ("number",) if key in old and old.get("text") == typed.get(f"{place}.text")
    }
    return {
        **more,
        "year": year,
        **{part: typed.get(f"{place}.{part}", "") for part in ("text", "source", "note")},
        "as_of": typed.get(f"{place}.as_of") or None,
        "beside": _from_pairs(typed.get(f"{place}.beside", "")),
        "adjustments": _from_pairs(typed.get(f"{place}.adjustments", "")),
        "entered_by": old.get("entered_by", ""),
    }


def _is_written(typed: Mapping[str, str], year: int) -> bool:
    return any(
        typed.get(f"actuals.{year}.{part}") for part in ("text", "as_of", "note", "beside", "adjustments")
    )


def _pairs(items: tuple[Beside, ...]) -> str:
    return "、".join(f"{item.name}={item.value.text}" for item in items)


def _from_pairs(text: str) -> list[dict[str, str]]:
    """全国=67.0%、宮城県=65.7% as it is typed; what has no = is refused as a name without a value."""
    found = []
    for word in re.split(r"[、\n]+", unicodedata.normalize("NFKC", text)):
        name, _sign, value = word.partition("=")
        if word.strip():
            found.append({"name": name.strip(), "value": value.strip() or "?"})
    return found


def _list(text: str) -> list[str]:
    return [word.strip() for word in SEPARATORS.split(text) if word.strip()]


def _rows(typed: Mapping[str, str], name: str) -> int:
    rows = [parts[1] for key in typed if (parts := key.split("."))[0] == name and len(parts) == 3]
    return max(
        (int(row) + 1 for row in rows if row.isascii() and row.isdecimal() and len(row) < 3), default=0
    )


def plain_number(text: str) -> str:
    """Half-width, without commas: １，０００ as 1000. What is no number stays for the model to refuse."""
    return unicodedata.normalize("NFKC", text).replace(",", "").strip()
