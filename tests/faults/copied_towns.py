"""A small town whose database is copied while a notice goes out, and the world outside that counts what arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from bot.heartbeat import Heartbeat
from bot.service import Service, open_service
from bot.settings import LineSettings, MailSettings, Settings
from content.clock import now_ms
from content.database import identity
from content.ledger.tallies import progress_state, tally
from content.notices import notices
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from scheduler.runner import Runner
from tests.factories import SHIBATA, make_notice
from tests.faults.recorders import Arrived, LineRecorder, MailRecorder
from tests.journeys.deployment import SECRET, TOKEN, line_id, until

# Two batches on LINE: one of them may have gone when the copy is made, or none be planned.
MAILS, LINE = 30, 600
LINE_A_SECOND = 4.0
MAIL_PAUSE = 0.1
# Seconds in which a copy that is not held would send.
LONG_ENOUGH = 1.5


class Outside:
    """LINE and the mail server of one trial."""

    def __init__(self) -> None:
        self.mail, self.line = MailRecorder(), LineRecorder()

    def settings(self, folder: Path, url: str) -> Settings:
        return Settings(
            town=SHIBATA,
            secret_key_file=folder / "secret.key",
            database_url=SecretStr(url),
            line=LineSettings(
                api_base=self.line.url, channel_secret=SecretStr(SECRET), channel_token=SecretStr(TOKEN)
            ),
            mail=MailSettings(smtp_url=SecretStr(self.mail.url), sender="柴田町 <oshirase@town.example.jp>"),
        )

    def everybody_got_it_once(self, seed: int) -> None:
        (book,) = self.mail.books.values()
        assert len(book) == MAILS, seed
        assert book.total() == MAILS, (seed, "somebody got it twice")
        assert self.line.arrived() == Arrived(LINE, 0), seed
        assert len(self.line.sandbox.channel.ledger.alerts) == 1, (seed, "LINE got it twice")


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """So slow that a copy can be made in the middle of a send."""
    world = Outside()
    await world.mail.start()
    world.line.per_second = LINE_A_SECOND
    await world.line.start(line_id(number) for number in range(LINE))
    world.mail.pause = MAIL_PAUSE
    try:
        yield world
    finally:
        await world.mail.stop()
        await world.line.stop()


class Running:
    """One process of the service, without its pages."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.heartbeat = Heartbeat(service.settings, service.database)
        self.runner = Runner(service.context)

    async def die(self) -> None:
        """The heartbeat ends without a last word, as when the process is killed."""
        if self.heartbeat._counting is not None:
            self.heartbeat._counting.cancel()
        await self.runner.stop()
        await self.service.database.close()

    async def post(self) -> int:
        """A notice to everybody; its id."""
        async with self.service.database.write() as connection:
            notice_id = await make_notice(connection, channels=("line", "mail"), at=now_ms())
        self.service.database.wakeups.wake("triggers")
        return notice_id

    async def finished(self, notice_id: int) -> None:
        async def ended() -> bool:
            await asyncio.sleep(0.05)
            async with self.service.database.read() as connection:
                found = await notices.get(connection, notice_id)
                assert found is not None
                return progress_state(found, await tally(connection, notice_id)) == "finished"

        await until(ended, "the notice to be finished")

    async def held_reason(self) -> str:
        """Why nothing goes out; "" when it does."""
        async with self.service.database.read() as connection:
            found = await identity.read(connection)
        assert found is not None
        return found.held_reason


async def start(settings: Settings) -> Running:
    running = Running(await open_service(settings))
    await running.heartbeat.start(running.runner.is_sending)
    await running.runner.start()
    return running


async def fill(settings: Settings) -> None:
    """The registrations, into a database that was never served; each trial begins with a copy of it."""
    service = await open_service(settings)
    chosen = Preferences(frozenset({"kosodate"}))
    people = [
        Registration("mail", "mail", f"m{number}@example.jp", chosen, now_ms()) for number in range(MAILS)
    ]
    people += [Registration("line", "line", line_id(number), chosen, now_ms()) for number in range(LINE)]
    async with service.database.write() as connection:
        await register_many(connection, service.keys, people, reason="import")
    await service.database.close()
