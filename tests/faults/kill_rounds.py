"""Rounds of `kill -9` at random moments of large sends: serve alone, or serve and two workers."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.books import MAIL_IN_FLIGHT, FaultTown, check_the_books
from tests.faults.recovery import held_by, seconds_until_free
from tests.journeys.deployment import Process, until

LINE, MAIL = 96_000, 4_000
# One send, when nobody dies.
SECONDS = 10.0
# A notice with so small a part left is past its middle: the next one goes out while it ends.
ENDING = 0.09


@dataclass(slots=True)
class Round:
    """One kill: who, in which notice, with how many recipients of it unsettled."""

    number: int
    victims: str
    notice: int
    open: int
    at: float


@dataclass(slots=True)
class Drill:
    """The processes of a town, and what was done to them."""

    town: FaultTown
    random: random.Random
    workers: int
    rounds: list[Round] = field(default_factory=list)
    deaths: dict[int, int] = field(default_factory=dict)
    repeats: dict[int, int] = field(default_factory=dict)
    # Seconds after each kill that hit something in flight.
    recoveries: list[float] = field(default_factory=list)
    _watching: list[asyncio.Task[float]] = field(default_factory=list)
    _processes: dict[str, Process] = field(default_factory=dict)

    async def run(self, number: int, say: Callable[[Round], None] = lambda _: None) -> None:
        """So many kills, then every notice of the drill to its end and its books checked."""
        await asyncio.gather(*(self._start(name) for name in self._names()))
        begun = time.monotonic()
        while len(self.rounds) < number:
            notice, left = await self._in_its_middle()
            # Every fourth kill may hit the start.
            if len(self.rounds) % 4:
                await self._goes_on(notice, left)
            await asyncio.sleep(self.random.uniform(0, 1.5))
            if not (left := await self.town.open_of(notice)):
                continue
            victims = self._victims()
            for notice_id in self.town.posted:
                self.deaths[notice_id] = self.deaths.get(notice_id, 0) + len(victims)
            await asyncio.gather(*(self._processes[name].end(signal.SIGKILL) for name in victims))
            await self._watch(victims, time.monotonic())
            self.rounds.append(
                Round(len(self.rounds) + 1, "+".join(victims), notice, left, time.monotonic() - begun)
            )
            say(self.rounds[-1])
            await asyncio.gather(*(self._start(name) for name in victims))
        for notice_id in self.town.posted:
            await self.town.settled(notice_id)
        self.recoveries = list(await asyncio.gather(*self._watching))
        for notice_id in self.town.posted:
            self.repeats[notice_id] = await check_the_books(
                self.town, notice_id, mail_repeats=self.deaths.get(notice_id, 0) * MAIL_IN_FLIGHT
            )

    async def _watch(self, victims: list[str], since: float) -> None:
        """How long the others are kept from what the dead had in flight."""
        held = await held_by(self.town.database, [self._processes[name].pid for name in victims])
        if held:
            self._watching.append(asyncio.create_task(seconds_until_free(self.town.database, held, since)))

    async def _in_its_middle(self) -> tuple[int, int]:
        """The newest notice and how many are open in it; a new one when that is nearly through."""
        left = await self.town.open_of(self.town.posted[-1]) if self.town.posted else 0
        if left > ENDING * sum(self.town.registered.values()):
            return self.town.posted[-1], left
        notice = await self.town.post()
        return notice, await self.town.open_of(notice)

    async def _goes_on(self, notice: int, left: int) -> None:
        """Until something was settled since; else every kill would hit a start."""

        async def less() -> bool:
            return await self.town.open_of(notice) < left

        try:
            await until(less, "the send to go on")
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{await self._what_stands_still(notice)}") from None

    async def _what_stands_still(self, notice: int) -> str:
        """The books of the notice and the last words of the processes that should send it."""
        last = [
            f"{name}{'' if process.running else ' (ended)'}:\n{process.log.read_text(errors='replace')[-1500:]}"
            for name, process in self._processes.items()
        ]
        return "\n".join([str(await self.town.look(notice)), *await self.town.waiting_in_database(), *last])

    def _names(self) -> list[str]:
        return ["serve", *(f"worker {number + 1}" for number in range(self.workers))]

    def _victims(self) -> list[str]:
        if not self.workers:
            return ["serve"]
        worker = self.random.choice(self._names()[1:])
        return self.random.choice((["serve"], [worker], ["serve", worker]))

    async def _start(self, name: str) -> None:
        command = name.partition(" ")[0]
        self._processes[name] = await (self.town.serve() if command == "serve" else self.town.start(command))
