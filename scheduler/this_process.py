"""What a process knows of itself: its name, what its machine was short of lately, which accounts it does not reach."""

from __future__ import annotations

import errno
import os
import socket
from enum import StrEnum

from content.clock import MINUTE, SECOND, monotonic_seconds

# Seconds for which a shortage counts: while it lasts nobody may be able to tell of it.
REMEMBERED = 10 * MINUTE / SECOND


class Lack(StrEnum):
    MEMORY = "メモリー"
    FILES = "同時に開けるファイルの数"
    SPACE = "ディスクの空き"


_BY_ERRNO = {
    errno.ENOMEM: Lack.MEMORY,
    errno.EMFILE: Lack.FILES,
    errno.ENFILE: Lack.FILES,
    errno.ENOSPC: Lack.SPACE,
}


def lack_in(error: BaseException | None) -> Lack | None:
    """What the machine lacks by this error or by what led to it."""
    while error is not None:
        if isinstance(error, MemoryError):
            return Lack.MEMORY
        if isinstance(error, OSError) and error.errno in _BY_ERRNO:
            return _BY_ERRNO[error.errno]
        error = error.__cause__ or error.__context__
    return None


class ThisProcess:
    """`name` tells it from the others on one database, `machine` is that of all processes here."""

    def __init__(self) -> None:
        self.machine = socket.gethostname()
        self.name = f"{self.machine}:{os.getpid()}"
        self._seen: dict[Lack, float] = {}
        self._unreached: dict[str, float] = {}
        self._clock_ahead: dict[str, float] = {}

    def notice(self, error: BaseException) -> bool:
        """Whether the machine was short of something; it is remembered for whoever watches over the service."""
        found = lack_in(error)
        if found is not None:
            self._seen[found] = monotonic_seconds()
        return found is not None

    def short_of(self) -> list[Lack]:
        since = monotonic_seconds() - REMEMBERED
        return [lack for lack, at in self._seen.items() if at >= since]

    def hear_clock(self, account: str, ahead: float | None) -> None:
        """What the other side of an account says of this machine's clock (seconds); None: it says nothing."""
        if ahead is None:
            self._clock_ahead.pop(account, None)
        else:
            self._clock_ahead[account] = ahead

    def clock_ahead(self) -> float:
        """By how many seconds this machine is ahead, as it was last heard; 0 when nobody has said."""
        return max(self._clock_ahead.values(), key=abs, default=0.0)

    def did_not_reach(self, account: str) -> None:
        self._unreached.setdefault(account, monotonic_seconds())

    def reached(self, account: str) -> None:
        self._unreached.pop(account, None)

    def unreached(self, since: float) -> list[str]:
        """Accounts that could not be reached for at least so many seconds."""
        limit = monotonic_seconds() - since
        return [account for account, at in self._unreached.items() if at <= limit]
