"""Who stands at the door: connections by address, and who goes first when there is no more room."""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol


class Guest(Protocol):
    """A connection that can be ended."""

    def send_away(self) -> None: ...


class Guests:
    """Everybody inside `room`, at most `each` from one household; None as household has no such limit.

    A guest that lets us wait (for its head, its body, or for it to read) makes room for a new one, the
    longest waiting first; one whose request is being answered never does.
    """

    def __init__(self, room: int, each: int) -> None:
        self._room = room
        self._each = each
        self._household: dict[Guest, str | None] = {}
        self._waiting: dict[str | None, OrderedDict[Guest, None]] = {}
        self._longest: OrderedDict[Guest, None] = OrderedDict()
        self._count: dict[str | None, int] = {}

    def __len__(self) -> int:
        return len(self._household)

    def admit(self, guest: Guest, household: str | None) -> bool:
        """Whether the guest may come in; somebody else may have been sent away for it."""
        crowded = household is not None and self._count.get(household, 0) >= self._each
        if crowded and not self._make_room(self._waiting.get(household)):
            return False
        if len(self) >= self._room and not self._make_room(self._longest):
            return False
        self._household[guest] = household
        self._count[household] = self._count.get(household, 0) + 1
        self.waits(guest)
        return True

    def waits(self, guest: Guest) -> None:
        """The guest lets us wait, from now on."""
        if guest in self._household:
            self._longest[guest] = None
            self._waiting.setdefault(self._household[guest], OrderedDict())[guest] = None

    def is_served(self, guest: Guest) -> None:
        """It waits for us."""
        self._longest.pop(guest, None)
        household = self._household.get(guest)
        if mine := self._waiting.get(household):
            mine.pop(guest, None)
            if not mine:
                del self._waiting[household]

    def leaves(self, guest: Guest) -> None:
        """Saying it twice is fine."""
        if guest not in self._household:
            return
        self.is_served(guest)
        household = self._household.pop(guest)
        self._count[household] -= 1
        if not self._count[household]:
            del self._count[household]

    def _make_room(self, waiting: OrderedDict[Guest, None] | None) -> bool:
        if not waiting:
            return False
        guest = next(iter(waiting))
        self.leaves(guest)
        guest.send_away()
        return True
