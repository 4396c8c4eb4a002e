"""Small cells (秘匿): what is published must not tell of a few people, neither by itself nor by subtraction.

A cell of 1 to 9 is hidden, and one that leaves 1 to 9 of the whole: who did not choose it are few. Beside them further
cells are hidden, until each hidden small one may still be anything from 1 to 9 for somebody who subtracts all that is
published, knows this rule, and has kept every month that was ever published.

Which ones are hidden beside does not depend on how large they are, or the choice itself would tell: if it were the
smallest of the others, no hidden cell could be larger than any that is shown. Nor does it depend on the profile: the
figures of a day that are published once more, after a district was added, hide the same cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

SMALL = 10
Shown = dict[str, int | None]


def publishable_total(total: int) -> int | None:
    return None if _is_small(total) else total


def publishable_parts(cells: Mapping[str, int]) -> Shown:
    """Of a table in which each stands in exactly one cell, so that the cells add up to the whole; None for what is
    hidden. 0 is shown."""
    hidden = {key for key, number in cells.items() if _is_small(number)}
    if not hidden:
        return dict(cells)
    small, others = len(hidden), _others(cells, hidden)
    for beside, key in enumerate(others, 1):
        hidden.add(key)
        # With the others at their least (each small one 1, those beside 10), what is open is 1 to 9 for any of them.
        if sum(cells[one] for one in hidden) >= SMALL * beside + SMALL - 1 + small:
            return _without(cells, hidden)
    return dict.fromkeys(cells)


def publishable_choices(cells: Mapping[str, int], whole: int, *, at_least_one: bool) -> Shown:
    """Of a table in which each may stand in several cells. `at_least_one`: each stands in one, so that the cells
    add up to no less than the whole."""
    hidden = {
        key for key, number in cells.items() if _is_small(number) or (number and _is_small(whole - number))
    }
    if not hidden or not at_least_one:
        return _without(cells, hidden)
    others = _others(cells, hidden)
    # One of them may be as large as the whole, so the sum tells nothing.
    return _without(cells, {*hidden, others[0]}) if others else dict.fromkeys(cells)


def _is_small(number: int) -> bool:
    return 0 < number < SMALL


def _others(cells: Mapping[str, int], hidden: set[str]) -> list[str]:
    """What may be hidden beside, in an order that tells nothing: zeros hide nobody."""
    return sorted(
        (key for key, number in cells.items() if number and key not in hidden),
        key=lambda key: sha256(key.encode()).digest(),
    )


def _without(cells: Mapping[str, int], hidden: set[str]) -> Shown:
    return {key: None if key in hidden else number for key, number in cells.items()}
