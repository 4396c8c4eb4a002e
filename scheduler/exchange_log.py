"""The calls of the last moment, until they are written down together: a send makes hundreds in a second."""

from __future__ import annotations

from collections import deque
from functools import partial

from channels.exchanges import LISTENER
from channels.exchanges import Exchange as Heard
from content.database import Database
from content.ledger import exchanges
from content.ledger.exchanges import Exchange

# While the database is away the oldest go.
MOST = 20_000
TOGETHER = 500


class ExchangeLog:
    """What a process that is killed had not written down yet, a second of it, is lost; the ledger does not need it."""

    def __init__(self) -> None:
        self._waiting: deque[Exchange] = deque(maxlen=MOST)

    def listen(self, delivery_id: int) -> None:
        """From now on to the calls of this task."""
        LISTENER.set(partial(self._add, delivery_id))

    async def flush(self, database: Database) -> int:
        """How many were written down."""
        taken = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        if taken:
            await database.write_step(partial(exchanges.record, exchanges=taken))
        return len(taken)

    def _add(self, delivery_id: int, heard: Heard) -> None:
        self._waiting.append(
            Exchange(
                delivery_id,
                heard.at,
                heard.method,
                heard.host,
                heard.what,
                heard.status,
                heard.failure,
                heard.took,
            )
        )
