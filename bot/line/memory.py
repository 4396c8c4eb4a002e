"""What the chat remembers of people for some minutes, by look-up hash. Lost with the process, which harms nobody."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from content.clock import MINUTE

HELP_EVERY = 10 * MINUTE
# More than a person types; what answers by itself on the other side would go on for ever.
ANSWERS_PER_MINUTE = 20
REMEMBERED = 10_000


class ChatMemory:
    """Who was shown the help card lately, and how many of a resident's messages were answered this minute."""

    def __init__(self) -> None:
        # When, and to which event: one that is handled anew, after a rollback, gets the same answer.
        self._helped: OrderedDict[bytes, tuple[int, str]] = OrderedDict()
        self._answered: OrderedDict[bytes, tuple[int, int, str]] = OrderedDict()

    def shows_help(self, who: bytes, event: str, now: int) -> bool:
        """True for the first in a row: until she is understood or ten minutes have passed, a short line will do."""
        at, helped = self._helped.get(who, (now - HELP_EVERY, ""))
        if event != helped and 0 <= now - at < HELP_EVERY:
            return False
        _keep(self._helped, who, (now, event))
        return True

    def understood(self, who: bytes) -> None:
        """The row of texts that were not understood ends here."""
        self._helped.pop(who, None)

    def may_answer(self, who: bytes, event: str, now: int) -> bool:
        """Whether a message is answered, and counts as answered."""
        minute, number, last = self._answered.get(who, (0, 0, ""))
        if minute != now // MINUTE:
            minute, number = now // MINUTE, 0
        number += event != last
        _keep(self._answered, who, (minute, number, event))
        return number <= ANSWERS_PER_MINUTE


def _keep(remembered: OrderedDict[bytes, Any], who: bytes, value: Any) -> None:
    remembered[who] = value
    remembered.move_to_end(who)
    if len(remembered) > REMEMBERED:
        remembered.popitem(last=False)
