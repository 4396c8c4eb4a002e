"""Walking a batch's frozen list while parts of it are settled."""

from __future__ import annotations

from collections.abc import Sequence

from channels.channel import Part, Recipient
from content.ledger import Refused


class Walk:
    """Maps parts, which count recipients that still have an address, to positions in the frozen list.

    Whoever left or was erased between fan-out and send is skipped and counted as refused (`gone`).
    """

    def __init__(self, frozen: Sequence[int], position: int, addresses: dict[int, str]) -> None:
        rest = range(position, len(frozen))
        self._indexes = [index for index in rest if frozen[index] in addresses]
        self._gone = [(index, frozen[index]) for index in rest if frozen[index] not in addresses]
        self._end = len(frozen)
        self._sent = 0
        self._refused: list[Refused] = []
        self.sendable = [Recipient(frozen[index], addresses[frozen[index]]) for index in self._indexes]

    @property
    def position(self) -> int:
        """Everything before it in the frozen list is accounted for."""
        return self._indexes[self._sent] if self._sent < len(self._indexes) else self._end

    def advance(self, part: Part) -> None:
        self._sent += part.size
        self._refused += [Refused(item.subscriber_id, item.reason, item.detail) for item in part.refused]

    def take_refusals(self) -> list[Refused]:
        """Refusals up to the position that were not taken before."""
        passed = [item for item in self._gone if item[0] < self.position]
        self._gone = self._gone[len(passed) :]
        taken = self._refused + [Refused(subscriber_id, "gone") for _, subscriber_id in passed]
        self._refused = []
        return taken
