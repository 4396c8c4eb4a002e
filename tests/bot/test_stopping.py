"""Five seconds from SIGTERM to the end, whoever hangs: container and service managers kill after ten."""

from bot import heartbeat, server
from bot.door import keeper
from bot.door.limits import LAST_WORDS
from scheduler import lane, presence, runner

PROMISED = 5.0


def test_whoever_hangs_the_service_ends_in_time() -> None:
    visitors = keeper.LET_GO + server.LAST_ANSWERS
    senders = runner.DRAIN + lane.GIVE_UP + presence.LEAVE_WITHIN
    # They are sent away side by side; the heartbeat ends last.
    assert max(visitors, senders) + heartbeat.LAST_WITHIN <= PROMISED


def test_the_door_is_not_killed_before_its_visitors_had_their_time() -> None:
    assert LAST_WORDS < keeper.LET_GO
