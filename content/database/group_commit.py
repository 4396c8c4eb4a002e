"""Many small writing transactions in one: whoever waits while a transaction is being written shares the next.

A settled batch must survive a power cut, and a disk takes its milliseconds for that however little is
written. So steps that come together are committed together: one wait for the disk for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Step = Callable[[Connection], Any]
# Runs a step in a transaction of its own and commits.
Transaction = Callable[[Step], Awaitable[Any]]

# So that one group does not hold the database for long.
LARGEST_GROUP = 64


class GroupCommit:
    """`do(step)` returns what `step` returned, once it has been committed.

    A step that raises is rolled back together with its group; the others are then tried alone, so that
    nobody suffers for another's mistake. Steps run in the order in which they came.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._waiting: list[tuple[Step, asyncio.Future[Any]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def do(self, step: Callable[[Connection], T], *, max_wait: float = 0.0) -> T:
        """Raises what `step` or the database raised; nothing of the step is in the database then.

        Unless the connection broke while committing: then it is unknown. A step with `max_wait` waits for
        others so many seconds: each commit costs, also where the disk is quick.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((step, done))
        if not max_wait:
            self._begin()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max_wait, self._begin)
        return await done

    async def finish(self) -> None:
        """Wait for what was asked for."""
        if self._waiting:
            self._begin()
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def _write_all(self) -> None:
        while self._waiting:
            group = [item for item in self._waiting[:LARGEST_GROUP] if not item[1].cancelled()]
            del self._waiting[:LARGEST_GROUP]
            if group:
                await self._write(group)

    async def _write(self, group: list[tuple[Step, asyncio.Future[Any]]]) -> None:
        steps = [step for step, _ in group]
        stumbled = False

        def together(connection: Connection) -> list[Any]:
            nonlocal stumbled
            stumbled = True
            results = [step(connection) for step in steps]
            stumbled = False
            return results

        try:
            results = await self._transaction(together)
        except Exception as error:
            if not stumbled or len(group) == 1:
                # No step is to blame: the database is away, or it broke while committing, and then
                # trying again might do a step twice.
                for _, done in group:
                    _fail(done, error)
                return
            for one in group:
                await self._write([one])
            return
        except BaseException:
            for _, done in group:
                done.cancel()
            raise
        for (_, done), result in zip(group, results, strict=True):
            if not done.done():
                done.set_result(result)


def _fail(done: asyncio.Future[Any], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
