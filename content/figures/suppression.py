"""Small cells (秘匿): what is published must not tell of a few people, neither by itself nor by subtraction.

A cell of 1 to 9 is hidden. So are further ones beside it, the smallest first, until what the published total leaves
for the hidden ones is at least two cells and spreads over more than MARGIN values for each: whoever subtracts
everything that is published learns no figure.
"""

from __future__ import annotations

from collections.abc import Mapping

SMALL = 10
# For each hidden cell so many values at least stay possible.
MARGIN = 10


def publishable(cells: Mapping[str, int]) -> dict[str, int | None]:
    """The cells of one table whose sum is published; None for what is hidden. 0 is shown."""
    hidden = {key for key, number in cells.items() if 0 < number < SMALL}
    shown = sorted((number, key) for key, number in cells.items() if number >= SMALL)
    while hidden and shown and not _is_safe([cells[key] for key in hidden]):
        hidden.add(shown.pop(0)[1])
    if hidden and not _is_safe([cells[key] for key in hidden]):
        # Nothing is left to hide them among: the whole table goes, zeros too.
        return dict.fromkeys(cells)
    return {key: None if key in hidden else number for key, number in cells.items()}


def publishable_total(total: int) -> int | None:
    return None if 0 < total < SMALL else total


def _is_safe(numbers: list[int]) -> bool:
    """Every hidden cell is 1 at least, so of the sum so much is open."""
    return len(numbers) > 1 and sum(numbers) - len(numbers) + 1 >= MARGIN
