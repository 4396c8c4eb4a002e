"""The fields with which somebody chooses districts, ages, languages and groups: to the rules of a target and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.forms import Fields
from content.town import SegmentRule
from scheduler.checks import Problem

OLDEST = 20


@dataclass(frozen=True, slots=True)
class ChosenFields:
    """The fields as typed."""

    areas: tuple[str, ...] = ()
    unplaced: bool = False
    youngest: str = ""
    oldest: str = ""
    languages: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.areas or self.youngest or self.oldest or self.languages or self.groups)


def read_chosen(fields: Fields, text: Callable[[str], str]) -> ChosenFields:
    """What the browser sent; `text` reads one field of it."""
    return ChosenFields(
        areas=tuple(dict.fromkeys(fields.getall("area", []))),
        unplaced="unplaced" in fields,
        youngest=text("youngest"),
        oldest=text("oldest"),
        languages=tuple(dict.fromkeys(fields.getall("language", []))),
        groups=tuple(dict.fromkeys(fields.getall("in_group", []))),
    )


def chosen_of(rules: Sequence[SegmentRule]) -> ChosenFields | None:
    """The fields that ask for these rules; None when the fields cannot say it."""
    found: dict[str, SegmentRule] = {rule.field: rule for rule in rules}
    plain = all(not rule.none_of and rule.field != "category" for rule in rules)
    if not plain or len(found) != len(rules):
        return None
    area, age = found.get("area"), found.get("birth_month")
    youngest, oldest = age.children_aged if age and age.children_aged else ("", "")
    return ChosenFields(
        areas=area.any_of if area else (),
        unplaced=bool(area and area.unplaced),
        youngest=str(youngest),
        oldest=str(oldest),
        languages=found["language"].any_of if "language" in found else (),
        groups=found["group"].any_of if "group" in found else (),
    )


def rules_from(chosen: ChosenFields) -> tuple[SegmentRule, ...]:
    """Every kind that was chosen is a rule, and all of them must hold."""
    rules = []
    if chosen.areas:
        rules.append(SegmentRule(field="area", any_of=chosen.areas, unplaced=chosen.unplaced))
    if ages := _ages(chosen):
        rules.append(SegmentRule(field="birth_month", children_aged=ages))
    if chosen.languages:
        rules.append(SegmentRule(field="language", any_of=chosen.languages))
    if chosen.groups:
        rules.append(SegmentRule(field="group", any_of=chosen.groups))
    return tuple(rules)


def chosen_problems(chosen: ChosenFields, *, counts: bool) -> list[Problem]:
    """`counts`: whether the target is what these fields choose."""
    if not counts:
        if chosen:
            # Left out, it would go to many more than was meant.
            return [
                Problem(
                    "target",
                    "地区や年齢などに印が付いています。「地区・年齢などで選ぶ」を選ぶか、印を外してください。",
                )
            ]
        return []
    if (chosen.youngest or chosen.oldest) and not _ages(chosen):
        return [Problem("youngest", f"年齢は0から{OLDEST}までの数で、左の年齢を右の年齢以下にしてください。")]
    if not chosen:
        return [
            Problem(
                "area",
                "送る地区を1つ以上選んでください(年齢・ことば・グループだけでも選べます)。"
                "町全体に送るときは「この分野を選んだ登録者」を選んでください。",
            )
        ]
    return []


def _ages(chosen: ChosenFields) -> tuple[int, int] | None:
    if not chosen.youngest and not chosen.oldest:
        return None
    try:
        ages = int(chosen.youngest or 0), int(chosen.oldest or OLDEST)
    except ValueError:
        return None
    return ages if 0 <= ages[0] <= ages[1] <= OLDEST else None
