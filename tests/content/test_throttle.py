"""How often one source may try, and that nobody tires out somebody else."""

import pytest

from content.staff.throttle import WAIT_SECONDS, Throttle


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def throttle(clock):
    return Throttle(clock)


def tries(throttle, number, limits):
    return [throttle.may_try(limits) for _ in range(number)]


def test_after_its_tries_a_source_waits_until_they_are_forgotten(throttle, clock):
    assert tries(throttle, 6, {"a": 5}) == [True] * 5 + [False]
    clock.now += WAIT_SECONDS - 1
    assert not throttle.may_try({"a": 5})
    clock.now += 1
    assert tries(throttle, 6, {"a": 5}) == [True] * 5 + [False]


def test_trying_while_one_has_to_wait_does_not_lengthen_the_wait(throttle, clock):
    tries(throttle, 5, {"a": 5})
    for _ in range(10):
        clock.now += WAIT_SECONDS / 10
        last = throttle.may_try({"a": 5})
    assert last


def test_an_office_that_mistypes_now_and_then_all_day_is_not_kept_out(throttle, clock):
    for _ in range(200):
        assert throttle.may_try({"office": 40})
        clock.now += WAIT_SECONDS / 10


def test_another_source_is_not_affected(throttle):
    tries(throttle, 9, {"a": 5})
    assert throttle.may_try({"b": 5})


def test_a_source_that_tries_many_names_runs_out_as_well(throttle):
    allowed = [throttle.may_try({("a", name): 5, "a": 40}) for name in range(50)]
    assert allowed == [True] * 40 + [False] * 10


def test_the_right_password_clears_what_was_mistyped(throttle):
    tries(throttle, 4, {"a": 5})
    throttle.forget("a")
    assert tries(throttle, 6, {"a": 5}) == [True] * 5 + [False]


def test_a_try_that_nobody_looked_at_is_none(throttle):
    for _ in range(20):
        assert throttle.may_try({"a": 5})
        throttle.take_back("a")


def test_whoever_rotates_addresses_fills_no_memory(clock):
    throttle = Throttle(clock, most_keys=100)
    for number in range(1000):
        throttle.may_try({number: 5})
    assert len(throttle) == 100
