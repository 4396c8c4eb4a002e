"""What residents choose from (分野, 地区), and what becomes of it with the years: renamed, merged, split, closed.

A key is never given a second meaning. What was merged or split stays in the profile under its key, so that its figures
keep their name, and names the keys that stand for it from a day on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from content.accounts import Key, ProfileModel
from content.clock import today_jst


class Named(ProfileModel):
    """Something residents choose from. `names` maps language to wording; `ja` is required."""

    key: Key
    names: dict[str, str]

    @model_validator(mode="after")
    def _has_japanese(self) -> Self:
        if not self.names.get("ja"):
            raise ValueError("names.ja is required")
        return self

    def name(self, language: str = "ja") -> str:
        return self.names.get(language) or self.names["ja"]


class FormerName(ProfileModel):
    """旧称: what it was called up to and with the day `until`."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    until: date


class Choosable(Named):
    """`closed`: nobody can choose it, no notice may use it. `merged_into` one key or `split_into` several stand for it
    from the day `changed_on`: whoever had chosen it has chosen those, so nobody gets less than she chose. A closing
    without that day holds since ever."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    closed_for_good: bool = Field(default=False, alias="closed")
    merged_into: Key | Literal[""] = ""
    split_into: tuple[Key, ...] = ()
    changed_on: date | None = None
    former_names: tuple[FormerName, ...] = ()

    @property
    def heirs(self) -> tuple[str, ...]:
        return (self.merged_into,) if self.merged_into else self.split_into

    @property
    def closed(self) -> bool:
        return self.is_over(today_jst())

    def is_over(self, today: date) -> bool:
        ends = self.closed_for_good or bool(self.heirs)
        return ends and (self.changed_on is None or self.changed_on <= today)


class Category(Choosable):
    """分野. `always`: chosen for every new registration and cannot be dropped.
    `max_late_minutes`: a notice that is due for longer is held for a person.
    `approval = "two"`: a routine notice needs somebody other than its writer, and an urgent one that
    somebody sent alone is looked at by a second person."""

    always: bool = False
    max_late_minutes: int = Field(default=60, ge=1)
    icon: str = ""
    approval: Literal["one", "two"] = "one"


class Area(Choosable):
    """地区. `reading` is how its kanji are read, `part` the heading under which the screen lists it."""

    reading: str = ""
    part: str = ""


class Group(Named):
    """Closed membership."""


def heirs(items: Mapping[str, Choosable], key: str, today: date) -> tuple[str, ...]:
    """The keys that stand for one today: itself, as long as nothing does."""
    item = items.get(key)
    if item is None or not item.heirs or not item.is_over(today):
        return (key,)
    return tuple(dict.fromkeys(last for heir in item.heirs for last in heirs(items, heir, today)))


def reach(items: Mapping[str, Choosable], key: str, today: date) -> tuple[str, ...]:
    """The keys under which those are registered who are meant by one: what stands for it, and everything that was
    merged or split into that, for whoever is not carried over yet."""
    meant = heirs(items, key, today)
    before = (other for other in items if set(heirs(items, other, today)) & set(meant))
    return tuple(dict.fromkeys([*meant, *before]))


def now_called(items: Mapping[str, Choosable], key: str, today: date) -> str:
    """「船岡」, and what stands for it today: 「船岡」(いまは「船岡北」「船岡南」)."""
    if key not in items:
        return f"「{key}」"
    meant = heirs(items, key, today)
    now = "" if meant == (key,) else f"(いまは{''.join(f'「{items[one].name()}」' for one in meant)})"
    return f"「{items[key].name()}」{now}"


def check_succession(field: str, items: Sequence[Choosable]) -> None:
    """Raises ValueError that names the field, what is wrong, and what it takes."""
    known = {item.key: item for item in items}
    for item in items:
        for problem in _of_one(item, known):
            raise ValueError(f"{field}.{item.key}.{problem}")


def _of_one(item: Choosable, known: Mapping[str, Choosable]) -> Iterator[str]:
    if item.merged_into and item.split_into:
        yield "split_into: it was merged already (merged_into); keep one of the two"
    named = "merged_into" if item.merged_into else "split_into"
    if item.changed_on is None and item.heirs:
        yield f"changed_on: write from which day {named} holds (2026-10-01)"
    if item.changed_on is not None and not (item.heirs or item.closed_for_good):
        yield "changed_on: say what happened on that day: merged_into, split_into or closed = true"
    if item.split_into and len(set(item.split_into)) < 2:
        yield "split_into: name two keys or more, each once; for one use merged_into"
    for key in item.heirs:
        yield from _of_heir(item, named, key, known)
    untils = [former.until for former in item.former_names]
    if untils != sorted(set(untils)):
        yield "former_names: the oldest first, each until another day"


def _of_heir(item: Choosable, named: str, key: str, known: Mapping[str, Choosable]) -> Iterator[str]:
    heir = known.get(key)
    if heir is None:
        yield f"{named}: there is no {key}; add it or name one that there is"
        return
    if _leads_to(heir, item.key, known, set()):
        yield f"{named}: {key} leads back to {item.key}; one of them must stay"
        return
    assert item.changed_on is not None
    if heir.is_over(item.changed_on):
        yield f"{named}: {key} is over by {item.changed_on.isoformat()}; name what stands for it"
    if getattr(item, "always", False) != getattr(heir, "always", False):
        yield f"{named}: {key} and {item.key} must both be `always`, or neither: it decides who is reached"


def _leads_to(item: Choosable, key: str, known: Mapping[str, Choosable], seen: set[str]) -> bool:
    if item.key == key:
        return True
    if item.key in seen:
        return False
    seen.add(item.key)
    return any(_leads_to(known[heir], key, known, seen) for heir in item.heirs if heir in known)
