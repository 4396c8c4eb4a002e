"""Statements written for the event loop, run as a plain step: a whole transaction in one hop to its thread.

What the register does is written once, as coroutines of a connection. Of a connection of `Database.write()` each of
their statements is a hop to a thread and back; where thousands come at once those hops cost many times the statements.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Dialect, Executable, ScalarResult
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")


def as_step(work: Callable[[AsyncConnection], Coroutine[Any, Any, T]]) -> Callable[[Connection], T]:
    """For `Database.read_step` and `write_step`. `work` may wait for its statements and for nothing else."""

    def step(connection: Connection) -> T:
        coroutine = work(cast(AsyncConnection, _AtOnce(connection)))
        try:
            coroutine.send(None)
        except StopIteration as done:
            return cast(T, done.value)
        coroutine.close()
        raise RuntimeError("a step cannot wait for anything but its statements")

    return step


class _AtOnce:
    """Answers as an AsyncConnection does, without letting anybody wait."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return self._connection.scalars(statement, parameters)
