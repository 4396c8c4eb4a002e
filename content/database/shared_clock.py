"""The one clock by which lateness, leases, presence and claims are judged, whatever is done to a machine's own.

PostgreSQL is asked for its time every few seconds: all processes go by its clock. SQLite has none, so there the
time is that of the start of the process, told on by a clock that nobody sets.
"""

from __future__ import annotations

from collections.abc import Callable

from content.clock import SECOND, monotonic_seconds, now_ms

# From such a difference on a process takes no part in decisions about time.
FAR_OFF = 5 * SECOND
# Clocks are corrected by fractions of a second all the time.
WORTH_NOTING = 2 * SECOND
# Seconds that the question may take; after a longer one nobody knows when the answer was true.
QUICK_ANSWER = 2.0


class SharedClock:
    """Milliseconds since the epoch. `wall` is the machine's own clock, `monotonic` only runs forward (seconds)."""

    def __init__(
        self, wall: Callable[[], int] = now_ms, monotonic: Callable[[], float] = monotonic_seconds
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._offset = self._own_offset()
        self._heard = False

    def now(self) -> int:
        return self._offset + round(self._monotonic() * SECOND)

    @property
    def own_is_ahead(self) -> int:
        """By how many milliseconds the machine's own clock is ahead, negative when it is behind."""
        return self._own_offset() - self._offset

    @property
    def own_is_far_off(self) -> bool:
        return abs(self.own_is_ahead) > FAR_OFF

    def hear(self, at: int, asked: float, answered: float) -> bool:
        """The database said `at` between two monotonic times; whether it was set back since it was last asked."""
        if self._heard and answered - asked > QUICK_ANSWER:
            return False
        before, heard = self._offset, self._heard
        self._offset, self._heard = at - round((asked + answered) / 2 * SECOND), True
        return heard and self._offset < before - WORTH_NOTING

    def follow_own(self) -> bool:
        """Go by the machine's own clock from now on; whether that sets this one back."""
        before, self._offset = self._offset, self._own_offset()
        return self._offset < before - WORTH_NOTING

    def _own_offset(self) -> int:
        return self._wall() - round(self._monotonic() * SECOND)
