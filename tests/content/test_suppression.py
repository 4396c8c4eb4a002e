"""What is published tells nothing of a few people, whoever subtracts, and knows by which rule cells are hidden."""

from itertools import combinations, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from content.figures.suppression import SMALL, publishable_choices, publishable_parts, publishable_total

# What a hidden small cell must be able to be.
ANYTHING = set(range(1, SMALL))
PARTS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 16), min_size=1)
CHOICES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 24), min_size=1)


def parts(cells):
    """A table that adds up, with its total: what everybody can read."""
    return publishable_parts(cells), publishable_total(sum(cells.values()))


def ways(total, number, least):
    """All ways to write it as a sum of so many numbers."""
    for cuts in combinations(range(1, total + (1 - least) * number), number - 1):
        ends = (0, *cuts, total + (1 - least) * number)
        yield tuple(ends[place + 1] - ends[place] - (1 - least) for place in range(number))


def possible_parts(cells):
    """hidden key → the values that somebody must think possible who knows the rule and everything else."""
    known = parts(cells)
    hidden = [key for key, value in known[0].items() if value is None]
    found: dict[str, set[int]] = {key: set() for key in hidden}
    for values in ways(sum(cells[key] for key in hidden), len(hidden), 0) if hidden else ():
        if parts(cells | dict(zip(hidden, values, strict=True))) == known:
            for key, value in zip(hidden, values, strict=True):
                found[key].add(value)
    return found


def possible_choices(cells, whole):
    """The same where each stands in one cell at least: the sum is no less than the whole."""
    known = publishable_choices(cells, whole, at_least_one=True)
    hidden = [key for key, value in known.items() if value is None]
    found: dict[str, set[int]] = {key: set() for key in hidden}
    for values in product(range(whole + 1), repeat=len(hidden)):
        tried = cells | dict(zip(hidden, values, strict=True))
        if sum(tried.values()) >= whole and publishable_choices(tried, whole, at_least_one=True) == known:
            for key, value in zip(hidden, values, strict=True):
                found[key].add(value)
    return found


@given(PARTS)
@settings(max_examples=40, deadline=None)
@example({"a": 9, "b": 50, "c": 50})
@example({"a": 1, "b": 10, "c": 11, "d": 30})
@example({"a": 8, "b": 9, "c": 18})
@example({"a": 9, "b": 9, "c": 0})
@example({"a": 3, "b": 100})
def test_no_small_part_comes_out_of_the_total_the_others_and_the_rule(cells):
    shown, total = parts(cells)
    assert all(value in (None, cells[key]) for key, value in shown.items())
    assert not any(value is not None and 0 < value < SMALL for value in shown.values())
    if total is not None:
        for key, values in possible_parts(cells).items():
            assert values >= ANYTHING or not 0 < cells[key] < SMALL


@given(CHOICES, st.integers(0, 12))
@settings(max_examples=25, deadline=None)
@example({"a": 9, "b": 9}, 9)
@example({"a": 22, "b": 3, "c": 12}, 3)
@example({"a": 5, "b": 20, "c": 15}, 20)
def test_no_small_choice_and_no_small_rest_comes_out_of_the_whole_and_the_rule(cells, more):
    # Nobody chose nothing: that is a cell of its own.
    whole = min(max(cells.values()) + more, sum(cells.values()))
    shown = publishable_choices(cells, whole, at_least_one=True)
    for value in shown.values():
        assert value is None or not (0 < value < SMALL or (value and 0 < whole - value < SMALL))
    if publishable_total(whole) is not None:
        for key, values in possible_choices(cells, whole).items():
            assert values >= ANYTHING or not 0 < cells[key] < SMALL
            rests = {whole - value for value in values}
            assert rests >= ANYTHING or not 0 < whole - cells[key] < SMALL


@given(CHOICES, st.integers(0, 30))
def test_where_nothing_is_known_of_the_sum_a_hidden_cell_stands_alone(cells, more):
    whole = max(cells.values()) + more
    for key, value in publishable_choices(cells, whole, at_least_one=False).items():
        few = 0 < cells[key] < SMALL or (cells[key] and 0 < whole - cells[key] < SMALL)
        assert value == (None if few else cells[key])


@given(PARTS, st.sets(st.sampled_from("xyz")))
def test_districts_that_are_added_change_nothing_in_what_is_hidden(cells, added):
    shown = publishable_parts(cells | dict.fromkeys(added, 0))
    assert {key: shown[key] for key in cells} == publishable_parts(cells)


def test_the_months_one_after_the_other_tell_no_more_than_each_alone():
    """A cell that crosses the border between hidden and shown takes the same other with it in every month."""
    months = [{"a": small, "b": 40 - small % 3, "c": 20 + small, "d": 0} for small in (8, 9, 10, 9, 3)]
    hidden = [{key for key, value in publishable_parts(cells).items() if value is None} for cells in months]
    assert hidden == [hidden[0], hidden[0], set(), hidden[0], hidden[0]]
    assert len(hidden[0]) == 2 and "a" in hidden[0]


@pytest.mark.parametrize(("total", "shown"), [(0, 0), (1, None), (9, None), (10, 10)])
def test_a_small_total_is_hidden_and_zero_is_not(total, shown):
    assert publishable_total(total) == shown


def test_a_small_cell_takes_one_other_with_it_and_no_more():
    found = publishable_parts({"a": 3, "b": 40, "c": 20, "d": 0})
    assert found["a"] is None and found["d"] == 0
    assert [found["b"], found["c"]].count(None) == 1
    assert publishable_parts({"a": 10, "b": 40}) == {"a": 10, "b": 40}
    assert publishable_parts({"a": 4, "b": 0}) == {"a": None, "b": None}
