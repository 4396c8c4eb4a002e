"""Half a minute until what a dead or cut-off process held is on its way again: the waits add up, on any machine."""

from content.clock import SECOND
from content.ledger.states import Lane
from scheduler import lane, runner, sender
from scheduler.batch_sender import LEASE, LEASE_MARGIN, LONGEST_BACK_OFF
from scheduler.failures import LONGEST_WAIT

PROMISED = 30.0


def test_what_a_killed_process_held_is_claimed_anew_in_time() -> None:
    assert LEASE / SECOND + runner.SWEEP_EVERY + lane.POLL <= PROMISED / 2


def test_so_is_what_failed_while_the_machine_was_short_or_the_database_away() -> None:
    waits = max(LONGEST_BACK_OFF, LONGEST_WAIT[Lane.URGENT] / SECOND)
    assert LEASE / SECOND + runner.SWEEP_EVERY + waits + lane.POLL <= PROMISED


def test_a_living_owner_may_miss_two_renewals() -> None:
    assert 3 * sender.RENEW_EVERY < LEASE / SECOND - LEASE_MARGIN
