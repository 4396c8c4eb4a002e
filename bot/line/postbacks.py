"""The data behind every button: `v1|verb|…`, versioned, never a person's data.

A button says what shall be so (on, off), not what shall change, so a second tap harms nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

VERSION = "v1"
DATA_LIMIT = 300

# verb → how many values follow it, at least and at most.
VERBS = {
    "show": (1, 2),
    "ask": (1, 2),
    "stop": (1, 2),
    "category": (2, 2),
    "area": (2, 2),
    "birth": (1, 2),
    "language": (1, 1),
    "read": (1, 1),
}


@dataclass(frozen=True, slots=True)
class Command:
    """What a button asks for: ("category", ("on", "bohan")). `date` is what a date picker added."""

    verb: str
    values: tuple[str, ...]
    date: str = field(default="", repr=False)


def data(verb: str, *values: str | int) -> str:
    """The data of a button."""
    return "|".join((VERSION, verb, *map(str, values)))


def read(text: str, date: str = "") -> Command | None:
    """The command of a button, None when it is none of ours or of another version."""
    version, *rest = text.split("|")
    if version != VERSION or not rest or len(text) > DATA_LIMIT:
        return None
    verb, values = rest[0], tuple(rest[1:])
    least, most = VERBS.get(verb, (1, 0))
    return Command(verb, values, date) if least <= len(values) <= most else None
