"""What is published tells nothing of a few people, whoever subtracts."""

from itertools import count

from hypothesis import example, given
from hypothesis import strategies as st

from content.figures.suppression import MARGIN, SMALL, publishable, publishable_total

CELLS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 40), min_size=1)


def possible(cells, key):
    """How many values the attacker has to think of as possible: he knows the total and every cell that is shown,
    and that a hidden one is no zero."""
    shown = publishable(cells)
    others = sum(1 for name, value in shown.items() if value is None and name != key)
    rest = sum(cells.values()) - sum(value for value in shown.values() if value is not None)
    values = 0
    for value in count(1):
        if value > rest - others:
            return values
        values += (value == rest) if not others else 1


@given(CELLS)
@example(dict.fromkeys("abcdefgh", 1))
@example({"a": 9, "b": 9})
@example({"a": 3, "b": 100})
@example({"a": 3, "b": 0})
def test_no_hidden_cell_comes_out_of_the_total_and_the_others(cells):
    shown = publishable(cells)
    assert all(value is None or value == cells[key] for key, value in shown.items())
    assert not [key for key, value in shown.items() if value is not None and 0 < value < SMALL]
    if publishable_total(sum(cells.values())) is None or set(shown.values()) == {None}:
        # Beside a table that is hidden as a whole no cell is pinned down either, as its zeros are hidden too.
        return
    assert all(possible(cells, key) >= MARGIN for key, value in shown.items() if value is None)


def test_a_small_cell_takes_the_smallest_other_with_it_and_no_more():
    assert publishable({"a": 3, "b": 40, "c": 20, "d": 0}) == {"a": None, "b": 40, "c": None, "d": 0}
    assert publishable({"a": 10, "b": 40}) == {"a": 10, "b": 40}
    assert publishable({"a": 4, "b": 0}) == {"a": None, "b": None}
    assert [publishable_total(number) for number in (0, 1, 9, 10)] == [0, None, None, 10]
