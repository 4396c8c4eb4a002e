"""From registration events to movements (増減): who joined, returned, left, chose or dropped what, on which day.

A registration stands in several cells (measure, value) at once: in the total, in each category, area and group that it
chose, in its language and in the route by which it came. Every figure of the reports is a sum of movements of cells.

An event never counts before the one that it follows: a clock that was set back between them must not let somebody
leave before she came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from content.clock import DAY, HOUR
from content.register.registration_events import read_noted
from content.register.states import EventKind

EPOCH = date(1970, 1, 1)
JAPAN_AHEAD = 9 * HOUR


class Measure(StrEnum):
    """What registrations are counted by. The value of `area` is "" for those that chose none (未選択)."""

    TOTAL = "total"
    CATEGORY = "category"
    AREA = "area"
    LANGUAGE = "language"
    GROUP = "group"
    ROUTE = "route"


class Move(StrEnum):
    """What happens to a cell: new, back again, gone; chosen or dropped by somebody who stays."""

    JOINED = "joined"
    RETURNED = "returned"
    LEFT = "left"
    CHOSEN = "chosen"
    DROPPED = "dropped"


COMING = (Move.JOINED, Move.RETURNED, Move.CHOSEN)
Cell = tuple[str, str]


class Event(NamedTuple):
    """A row of `registration_event`."""

    id: int
    subscriber_id: int
    account: str
    kind: str
    reason: str
    at: int
    route: str
    choices: str


class CellMove(NamedTuple):
    """One kind of move of one cell of an account on one day in Japan."""

    day: date
    account: str
    measure: str
    value: str
    kind: str
    reason: str


def day_of(at: int) -> date:
    """The day in Japan."""
    return EPOCH + timedelta(days=(at + JAPAN_AHEAD) // DAY)


def fold(events: Iterable[Event], *, after: int = 0) -> Counter[CellMove]:
    """The movements of the events with an id above `after`.

    `events` are whole histories, ordered by subscriber and id.
    """
    found: Counter[CellMove] = Counter()
    for _, history in groupby(events, key=lambda event: event.subscriber_id):
        for number, movement in _moves(history):
            if number > after:
                found[movement] += 1
    return found


def sign(kind: str) -> int:
    return 1 if kind in COMING else -1


def _moves(history: Iterable[Event]) -> Iterator[tuple[int, CellMove]]:
    """(id of the event, movement) of one registration."""
    cells: frozenset[Cell] = frozenset()
    came_before, route, day = False, "", EPOCH
    for event in history:
        day = max(day, day_of(event.at))
        if event.kind == EventKind.JOINED and not cells:
            route = event.route
            kind, now = Move.RETURNED if came_before else Move.JOINED, cells_of(event.choices, route)
            came_before = True
            changes = [(kind, now)]
        elif event.kind == EventKind.LEFT:
            now = frozenset()
            changes = [(Move.LEFT, cells)]
        elif event.kind == EventKind.CHANGED and cells:
            now = cells_of(event.choices, route)
            changes = [(Move.CHOSEN, now - cells), (Move.DROPPED, cells - now)]
        else:
            continue
        cells = now
        for kind, moved in changes:
            for measure, value in moved:
                yield event.id, CellMove(day, event.account, measure, value, kind, event.reason)


def cells_of(choices: str, route: str) -> frozenset[Cell]:
    """Of events from before choices were noted, only total and route are known."""
    cells = {(str(Measure.TOTAL), ""), (str(Measure.ROUTE), route)}
    if choices:
        chosen = read_noted(choices)
        cells.update(chosen)
        if not any(kind == Measure.AREA for kind, _ in chosen):
            cells.add((str(Measure.AREA), ""))
    return frozenset(cells)
