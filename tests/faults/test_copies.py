"""Fifty copies of a town at random moments of a send: restored in its place, or cloned and running beside it.

The copy never sends by itself what the original has sent or will send: everybody gets every mail once.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.heartbeat import WHILE_SENDING, Heartbeat
from bot.service import Service, open_service
from bot.settings import LineSettings, MailSettings, Settings
from content.clock import now_ms
from content.database.files import copy_sqlite
from content.ledger.tallies import progress_state, tally
from content.notices import notices
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from scheduler.runner import Runner
from tests.bot.test_belonging import made
from tests.factories import SHIBATA, make_notice
from tests.faults.recorders import Arrived, LineRecorder, MailRecorder
from tests.journeys.deployment import SECRET, TOKEN, line_id, until

TRIALS, SIDE_BY_SIDE = 25, 5
# Two batches on LINE: one of them may have gone when the copy is made, or none be planned.
MAILS, LINE = 30, 600
LINE_A_SECOND = 4.0

pytestmark = [pytest.mark.faults, pytest.mark.slow]


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


async def start(folder: Path, mail: MailRecorder, line: LineRecorder) -> Running:
    settings = Settings(
        town=SHIBATA,
        secret_key_file=folder / "secret.key",
        database_url=SecretStr(f"sqlite:///{folder}/kairanban.db"),
        line=LineSettings(
            api_base=line.url, channel_secret=SecretStr(SECRET), channel_token=SecretStr(TOKEN)
        ),
        mail=MailSettings(smtp_url=SecretStr(mail.url), sender="柴田町 <oshirase@town.example.jp>"),
    )
    running = Running(await open_service(settings))
    await running.heartbeat.start(running.runner.is_sending)
    await running.runner.start()
    return running


async def prepare(folder: Path) -> None:
    """A town with its registrations that was never served; each trial begins with a copy of it."""
    folder.mkdir()
    settings = await made(folder)
    service = await open_service(settings)
    people = [
        Registration("mail", "mail", f"m{number}@example.jp", Preferences(frozenset({"kosodate"})), now_ms())
        for number in range(MAILS)
    ]
    people += [
        Registration("line", "line", line_id(number), Preferences(frozenset({"kosodate"})), now_ms())
        for number in range(LINE)
    ]
    async with service.database.write() as connection:
        await register_many(connection, service.keys, people, reason="import")
    await service.database.close()


async def finished(running: Running, notice_id: int) -> None:
    async def ended() -> bool:
        await asyncio.sleep(0.05)
        async with running.service.database.read() as connection:
            found = await notices.get(connection, notice_id)
            assert found is not None
            return progress_state(found, await tally(connection, notice_id)) == "finished"

    await until(ended, "the notice to be finished")


async def trial(folder: Path, seed: int, *, clone: bool) -> None:
    chance = random.Random(seed)
    mail = MailRecorder()
    await mail.start()
    line = LineRecorder()
    line.per_second = LINE_A_SECOND
    await line.start(line_id(number) for number in range(LINE))
    shutil.copytree(folder.parent / "prepared", folder)
    original = await start(folder, mail, line)
    mail.pause = 0.1
    try:
        async with original.service.database.write() as connection:
            notice_id = await make_notice(connection, channels=("line", "mail"), at=now_ms())
        original.service.database.wakeups.wake("triggers")
        await asyncio.sleep(chance.uniform(0, 1.2))
        copy = folder.with_name(f"{folder.name}-copy")
        copy.mkdir()
        await asyncio.to_thread(copy_sqlite, folder / "kairanban.db", copy / "kairanban.db")
        if clone:
            for path in (folder / "secret.key", *folder.glob("heartbeat-*.json")):
                shutil.copy2(path, copy)
            second = await start(copy, mail, line)
            await finished(original, notice_id)
            await asyncio.sleep(1.5)
        else:
            await finished(original, notice_id)
            # A copy from the very last half second is not known as one; who copies by hand and loses the
            # machine within that half second is told of it in docs/operations.md.
            await asyncio.sleep(2 * WHILE_SENDING)
            await original.die()
            for path in folder.glob("kairanban.db*"):
                path.unlink()
            shutil.copyfile(copy / "kairanban.db", folder / "kairanban.db")
            second = await start(folder, mail, line)
            await asyncio.sleep(1.5)
        await second.die()
        (book,) = mail.books.values()
        assert len(book) == MAILS, seed
        assert book.total() == MAILS, (seed, "somebody got it twice")
        assert line.arrived() == Arrived(LINE, 0), seed
        assert len(line.sandbox.channel.ledger.alerts) == 1, (seed, "LINE got it twice")
    finally:
        if clone:
            await original.die()
        await mail.stop()
        await line.stop()


@pytest.mark.parametrize("clone", [False, True], ids=["restored", "cloned"])
async def test_a_copy_never_sends_by_itself_what_the_original_sends(tmp_path: Path, clone: bool) -> None:
    await prepare(tmp_path / "prepared")
    for first in range(0, TRIALS, SIDE_BY_SIDE):
        numbers = range(first, first + SIDE_BY_SIDE)
        await asyncio.gather(*(trial(tmp_path / str(number), number, clone=clone) for number in numbers))
