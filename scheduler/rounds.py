"""Whether the loops of a process still go round: each says so at every round, and whoever asks hears which do not."""

from __future__ import annotations

from content.clock import monotonic_seconds

# Seconds without a round after which a loop counts as hanging. A round takes about a second, a busy one a few.
LATE = 30.0


class Rounds:
    """`beat` at every round; `late` names the loops that have not come round in time."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, float]] = {}

    def beat(self, loop: str, *, pause: float = 0.0) -> None:
        """`pause`: the seconds that a round may take beside."""
        self._last[loop] = (monotonic_seconds(), pause)

    def late(self) -> list[str]:
        now = monotonic_seconds()
        return [loop for loop, (at, pause) in self._last.items() if now - at > pause + LATE]
