"""How often one source may try a password: bounded memory, and never a lock on the account itself.

A lock on the account would let anybody shut out anybody. Counted is who tries: an address together with
a login, an address alone, or a device that signed in before. So strangers can only tire out themselves.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

# Wrong passwords in a row that a source may type, and how long it then waits.
TRIES = 5
# A town hall has one address for all its desks.
TRIES_OF_SOURCE = 40
WAIT_SECONDS = 300.0
# More than one source can try in WAIT_SECONDS at the pace of the hashing, so that nobody can push out
# what is known about himself.
MOST_KEYS = 20_000


@dataclass(slots=True)
class _Tries:
    number: int
    until: float


class Throttle:
    """`may_try` counts a try before its outcome is known; `succeeded` and `take_back` correct the count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_keys: int = MOST_KEYS) -> None:
        # Not the wall's clock: setting that back would make everybody wait.
        self._clock = clock
        self._most_keys = most_keys
        self._tries: OrderedDict[Hashable, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def may_try(self, limits: Mapping[Hashable, int]) -> bool:
        """False when one of the keys has used up its tries; else the try counts for each of them."""
        if any(self._used(key) >= limit for key, limit in limits.items()):
            return False
        for key, limit in limits.items():
            self._count(key, limit)
        while len(self._tries) > self._most_keys:
            self._tries.popitem(last=False)
        return True

    def take_back(self, key: Hashable) -> None:
        """The try was none: nobody looked at the password, or it was right."""
        if (tries := self._tries.get(key)) is not None:
            tries.number -= 1

    def forget(self, key: Hashable) -> None:
        """The right password was typed: the wrong ones before it were mistakes."""
        self._tries.pop(key, None)

    def _count(self, key: Hashable, limit: int) -> None:
        number = self._used(key) + 1
        # From the first on, and again from the one that used them up: a busy office that mistypes now
        # and then all day long is never kept out.
        if number == 1 or number >= limit:
            self._tries[key] = _Tries(number, self._clock() + WAIT_SECONDS)
        else:
            self._tries[key].number = number
        self._tries.move_to_end(key)

    def _used(self, key: Hashable) -> int:
        tries = self._tries.get(key)
        return tries.number if tries and self._clock() < tries.until else 0
