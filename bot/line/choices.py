"""What a button does to the preferences, and which steps the settings have. No database, no words.

Keys that the town does not know (any more), or that are closed, change nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from bot.line.postbacks import Command
from content.register.subscribers import Preferences
from content.town import Area, Category, Town

CHILD_CATEGORY = "kosodate"
CHILD_YEARS = 18
BIRTH_MONTHS = 12


def first_preferences(town: Town, language: str) -> Preferences:
    """What a new registration begins with."""
    return Preferences(categories=frozenset(town.always_categories), language=language)


def apply(town: Town, command: Command, before: Preferences, today: date) -> Preferences:
    """The preferences after a button. What always comes is put back, whatever was stored."""
    kept = replace(before, categories=before.categories | set(town.always_categories))
    match command.verb, command.values:
        case "category", (wish, key) if key in town.category and not town.category[key].always:
            return replace(kept, categories=_set(town, "category", kept.categories, key, wish, today))
        case "area", (wish, key) if key in town.area:
            return replace(kept, areas=_set(town, "area", kept.areas, key, wish, today))
        case "birth", ("add",) if not needs_confirming(command, today):
            return replace(kept, birth_months=_with_month(kept.birth_months, command.date, today))
        case "birth", ("yes", month):
            return replace(kept, birth_months=_with_month(kept.birth_months, f"{month}-01", today))
        case "birth", ("clear",):
            return replace(kept, birth_months=frozenset())
        case "language", (key,) if key in town.languages:
            return replace(kept, language=key)
    return kept


def is_known(town: Town, command: Command) -> bool:
    """Whether the town still has what the button names."""
    known: dict[str, Collection[str]] = {
        "category": town.category,
        "area": town.area,
        "language": town.languages,
    }
    return command.verb not in known or command.values[-1] in known[command.verb]


def offered_categories(town: Town) -> list[Category]:
    return [item for item in town.categories if not item.closed]


def chosen_freely(town: Town) -> list[Category]:
    """Those that do not come anyway."""
    return [item for item in offered_categories(town) if not item.always]


def offered_areas(town: Town) -> list[Area]:
    return town.open_areas


def asks_birth_month(town: Town, preferences: Preferences) -> bool:
    """Only where a notice can be aimed by it, and only of those who chose news for families."""
    if preferences.birth_months:
        return True
    is_used = any(rule.field == "birth_month" for item in town.segments for rule in item.rules)
    return is_used and (CHILD_CATEGORY not in town.category or CHILD_CATEGORY in preferences.categories)


def step_after(step: str, town: Town, preferences: Preferences) -> str:
    """The page that follows: categories, areas, birth, summary."""
    asked = {"areas": bool(town.open_areas), "birth": asks_birth_month(town, preferences)}
    steps = ["categories", *(name for name, wanted in asked.items() if wanted), "summary"]
    return steps[min(steps.index(step) + 1, len(steps) - 1)] if step in steps else "summary"


def needs_confirming(command: Command, today: date) -> bool:
    """A newborn, or the day on which the calendar opens: somebody may have pressed without turning to a month."""
    picked = command.date
    return command.values == ("add",) and (
        picked[:7] == f"{today:%Y-%m}" or picked == birth_start(today).isoformat()
    )


def birth_start(today: date) -> date:
    """Where the calendar opens: never on today, which is a newborn's."""
    return date(today.year - 1, 1, 1)


def birth_range(today: date) -> tuple[date, date]:
    """The dates that the calendar offers."""
    return date(today.year - CHILD_YEARS, today.month, 1), today


def _set(town: Town, kind: str, chosen: frozenset[str], key: str, wish: str, today: date) -> frozenset[str]:
    """A button from before a merger or split means what stands for its key today."""
    if wish == "off":
        return chosen - {key}
    known = town.choosable(kind)
    meant = {heir for heir in town.heirs(kind, key, today) if not known[heir].is_over(today)}
    return chosen | meant if wish == "on" else chosen


def _with_month(months: frozenset[str], picked: str, today: date) -> frozenset[str]:
    first, last = birth_range(today)
    try:
        day = date.fromisoformat(picked)
    except ValueError:
        return months
    if not first <= day <= last or len(months) >= BIRTH_MONTHS:
        return months
    return months | {f"{day:%Y-%m}"}
