"""Stories that mostly wait run next to each other, each a test with a name and an outcome of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """An empty folder for one story, and that of a prepared town on SQLite that it may copy."""

    folder: Path
    like: Path


Story = Callable[[Place], Awaitable[None]]
# For a whole module on a busy machine.
MAX_WAIT = 1800.0


class SideBySide:
    """An event loop of their own for stories, `at_once` of them at a time, in the order given."""

    def __init__(self, stories: Iterable[Story], folder: Path, like: Path, at_once: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._places = asyncio.Semaphore(at_once)
        self._outcomes: dict[Story, Future[None]] = {}
        for story in stories:
            place = Place(folder / story.__name__, like)
            place.folder.mkdir()
            self._outcomes[story] = asyncio.run_coroutine_threadsafe(self._tell(story, place), self._loop)

    def outcome(self, story: Story) -> None:
        """Wait for a story; raises what it raised."""
        self._outcomes[story].result(MAX_WAIT)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._cancel_rest(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _tell(self, story: Story, place: Place) -> None:
        async with self._places:
            await story(place)

    async def _cancel_rest(self) -> None:
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
