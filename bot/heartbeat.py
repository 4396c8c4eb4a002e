"""The pulse of a served database: a number that it counts up and that a file beside the key remembers.

A copy of the database knows a smaller number than the file, a moved or cloned one is not where it was. Then
everything that is due is held until a person has looked (`kairanban restore --confirm`): what the copy
believes to be open may have gone out long ago.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.pulse_file import Pulse, PulseFile, pulse_file, read_pulse, write_pulse
from bot.settings import Settings
from content.clock import now_ms
from content.database import Database, identity
from content.database.identity import Identity
from content.database.machine import is_same, this_machine
from content.database.moving import MOVING
from content.staff import audit

log = structlog.get_logger(__name__)

# Seconds between two while nothing happens.
EVERY = 5.0
# While something is approved, planned or on its way out. On SQLite each commit of the ledger counts besides, so that a
# copy is known as one as soon as anything went out after it; on PostgreSQL that takes this half second.
WHILE_SENDING = 0.5
# Seconds for the last one: a database that is away must not keep the process from ending.
LAST_WITHIN = 1.0
TOPICS = ("triggers", "planning", "batches")
OLDER, MOVED, LOST, TAKEN_OVER = "older", "moved", "lost", "taken_over"
WORDS = {
    OLDER: "データベースが、前に動いていたときより古い内容です(控えから戻したか、壊れて一部が失われました)",
    MOVED: "データベースが、前と違う場所か機器で動いています(写しか、引っ越しです)",
    LOST: "秘密鍵の隣にあるはずの記録がないため、データベースが最新かどうか分かりません",
    TAKEN_OVER: "もう一つの場所が、配信を引き継ぎました",
    "restored": "データベースを控えから戻しました",
    MOVING: "別のデータベースへ引っ越しました(または引っ越しの途中です)",
}


class Heartbeat:
    """Looks at the database before anything is sent, then keeps the number on both sides."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._key_file = settings.secret_key_file
        url = make_url(database.url)
        local = url.host in (None, "", "localhost", "127.0.0.1", "::1") or settings.database_here
        # Workers on other machines share one PostgreSQL: only a database on this machine is tied to it.
        self._machine = this_machine() if database.is_sqlite or local else ""
        self._last: Pulse | None = None
        self._file: PulseFile | None = None
        self._is_sending: Callable[[], bool] = lambda: False
        self._counting: asyncio.Task[None] | None = None
        self._signals = [database.listen(topic) for topic in TOPICS]

    async def look(self) -> str:
        """Why the database has to wait for a person, "" when it may go on. What is found stays in it."""
        async with self._database.read() as connection:
            own = await identity.read(connection)
        assert own is not None
        # The file first: other processes count on meanwhile, and what they have put into it since they have
        # put into the database before.
        known = read_pulse(pulse_file(self._key_file, own.identity))
        async with self._database.write() as connection:
            found = await identity.read(connection)
            assert found is not None
            place = await self._place(connection)
            reason = found.held_reason or self._doubt(found, known, place)
            if reason and found.held_since is None:
                await identity.hold(connection, reason, now_ms())
                await audit.record(
                    connection, at=now_ms(), actor="serve", action="database.held", subject=reason
                )
            elif not reason:
                await identity.settle(connection, place=place, machine=self._machine or found.machine)
        if reason:
            log.error("everything_due_is_held", reason=reason, remedy="kairanban restore --confirm")
        else:
            await self.beat()
        return reason

    async def beat(self) -> None:
        """Count up: first in the database, then in the file, so that the file never knows more by itself."""
        async with self._database.write() as connection:
            found = await identity.count_beat(connection)
            if found is None or found.held_since is not None:
                return
            if self._last is not None and found.beat <= self._last.beat:
                await identity.hold(connection, OLDER, now_ms())
                log.error("everything_due_is_held", reason=OLDER, remedy="kairanban restore --confirm")
                return
        self._last = Pulse(found.epoch, found.beat)
        if self._file is None:
            self._file = PulseFile(pulse_file(self._key_file, found.identity))
        # On a thread: the loop does not wait for the disk.
        await asyncio.to_thread(self._file.keep, self._last)

    def count(self, connection: Connection) -> Pulse | None:
        """One more, within a transaction of the ledger; None while everything is held."""
        counted = identity.count_commit(connection)
        return Pulse(*counted) if counted else None

    def committed(self, pulse: Pulse) -> None:
        """That transaction is on the disk, and nothing that it lets go out has gone out yet."""
        if self._file is not None:
            self._file.note(pulse)

    async def confirm(self, beyond: int = 0) -> bool:
        """A person has looked at what is due: the database is at home here, and ahead of every copy.

        `beyond`: the epoch of another site that had gone on with it.
        """
        async with self._database.write() as connection:
            found = await identity.read(connection)
            assert found is not None
            known = read_pulse(pulse_file(self._key_file, found.identity))
            ahead = max(found.beat, known.beat if known else 0) + 1
            place = await self._place(connection)
            epoch = max(found.epoch, beyond) + 1
            changed = await identity.let_go(
                connection, place=place, machine=self._machine, beat=ahead, epoch=epoch
            )
        if changed:
            write_pulse(pulse_file(self._key_file, found.identity), Pulse(epoch, ahead))
        return changed

    async def start(self, is_sending: Callable[[], bool] = lambda: False) -> None:
        """Look first, then keep counting until `stop`; more often while `is_sending`."""
        await self.look()
        self._database.count_commits(self)
        self._is_sending = is_sending
        self._counting = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Once more, so that a copy from before this end is known as one."""
        self._database.count_commits(None)
        if self._counting is not None:
            self._counting.cancel()
            with suppress(asyncio.CancelledError):
                await self._counting
        try:
            async with asyncio.timeout(LAST_WITHIN):
                await self.beat()
        except Exception as error:
            log.error("heartbeat_not_kept", error=type(error).__name__)

    async def _run(self) -> None:
        counted = 0.0
        while True:
            news = await self._news()
            now = asyncio.get_running_loop().time()
            if not (news or self._is_sending() or now - counted >= EVERY):
                continue
            try:
                await self.beat()
            except Exception as error:
                # Without the database nothing is sent either; a file that cannot be written is told of.
                log.error("heartbeat_not_kept", error=type(error).__name__)
            counted = now

    async def _news(self) -> bool:
        """Whether something was approved, fired or planned in the last half second."""
        await asyncio.sleep(WHILE_SENDING)
        told = [signal for signal in self._signals if signal.is_set()]
        for signal in told:
            signal.clear()
        return bool(told)

    async def _place(self, connection: AsyncConnection) -> str:
        if self._database.is_sqlite:
            return str(self._database.path.resolve())
        return await identity.place_of_postgres(connection)

    def _doubt(self, found: Identity, known: Pulse | None, place: str) -> str:
        if known and (known.epoch > found.epoch or (known.epoch == found.epoch and known.beat > found.beat)):
            return OLDER
        if not found.place:
            return ""
        if place != found.place:
            return MOVED
        if self._machine and found.machine and not is_same(self._machine, found.machine):
            return MOVED
        # A worker on a new machine has no file yet, a database file that was served has one.
        return LOST if known is None and self._database.is_sqlite else ""
