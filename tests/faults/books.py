"""A town whose outside keeps its own books, and the comparison of those books with the town's ledger."""

from __future__ import annotations

import asyncio
import inspect
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from pydantic import SecretStr
from sqlalchemy import select, text

from bot.notice_json import notice_json
from bot.service import open_service
from bot.settings import LineSettings, MailSettings, Settings
from channels.line.channel import BATCH_SIZE
from channels.mail.channel import MailChannel
from channels.mail.errand import WINDOW
from content.database import Database
from content.ledger.deliveries import batch, delivery
from content.ledger.tallies import progress_state, tally
from content.notices import notices
from scheduler import notice_service
from scheduler.town_context import TownContext
from tests.factories import public_page, spec
from tests.faults.recorders import LineRecorder, MailRecorder
from tests.journeys.deployment import SECRET, TOKEN, Deployment, line_id, until

LINE, MAIL = 10_000, 700
DOMAINS = tuple(f"{name}.example.jp" for name in ("ao", "kiku", "matsu", "sakura", "sugi", "take", "ume"))
# A process that dies leaves at most so many mails sent and not written down.
MAIL_CONNECTIONS = int(inspect.signature(MailChannel).parameters["connections"].default)
MAIL_IN_FLIGHT = WINDOW * MAIL_CONNECTIONS
ENDED = ("finished", "partly", "nobody")


class FaultTown(Deployment):
    """Real processes of one town; LINE and the mail server are recorders in this process."""

    def __init__(self, folder: Path, session: ClientSession, line: int, mail: int, **settings: str) -> None:
        super().__init__(folder, session, **settings)
        self.registered = {"line": line, "mail": mail}
        self.line, self.mail = LineRecorder(), MailRecorder()
        self.environment["KAIRANBAN_LINE__API_BASE"] = self.line.url
        self.environment["KAIRANBAN_MAIL__SMTP_URL"] = self.mail.url
        self.posted: list[int] = []
        self._database: Database | None = None

    @property
    def database(self) -> Database:
        """For looking on."""
        if self._database is None:
            self._database = Database(self.environment["KAIRANBAN_DATABASE_URL"])
        return self._database

    def takes(self, seconds: float, processes: int = 1) -> None:
        """Make the world outside so slow that a send by so many processes lasts about so long."""
        self.line.per_second = self.registered["line"] / BATCH_SIZE / seconds
        self.mail.pause = seconds * processes * MAIL_CONNECTIONS / self.registered["mail"]

    async def look_anew(self) -> None:
        """Let go of connections that the test itself held while the database was away."""
        if self._database is not None:
            await self._database.close()
            self._database = None

    async def prepare(self) -> None:
        """An empty database with the registrations."""
        await self.found(
            (line_id(number) for number in range(self.registered["line"])),
            (f"m{number}@{DOMAINS[number % len(DOMAINS)]}" for number in range(self.registered["mail"])),
        )

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[TownContext]:
        """What a command opens; a process for each would need a second of a processor."""
        value = self.environment.__getitem__
        service = await open_service(
            Settings(
                town=Path(value("KAIRANBAN_TOWN")),
                secret_key_file=Path(value("KAIRANBAN_SECRET_KEY_FILE")),
                database_url=SecretStr(value("KAIRANBAN_DATABASE_URL")),
                line=LineSettings(channel_secret=SecretStr(SECRET), channel_token=SecretStr(TOKEN)),
                mail=MailSettings(smtp_url=SecretStr(self.mail.url), sender=value("KAIRANBAN_MAIL__FROM")),
            )
        )
        try:
            yield service.context
        finally:
            await service.database.close()

    async def post(self) -> int:
        """An urgent notice to everybody by LINE and mail; its id."""
        words = (f"避難指示 第{len(self.posted) + 1}報", "にげてください")
        notice = spec(category="saigai", urgency="urgent", texts={"ja": words}, channels=("line", "mail"))
        async with self.opened() as context:
            notice_id = await notice_service.post(
                context, notice, submission_key=words[0], staff="cli:faults"
            )
        self.posted.append(notice_id)
        return notice_id

    async def page_of(self, notice_id: int) -> str:
        return await public_page(self.database, notice_id)

    async def look(self, notice_id: int) -> tuple[str, dict[str, Any]]:
        """State and tallies by channel."""
        async with self.database.read() as connection:
            tallies = await tally(connection, notice_id)
            notice = await notices.get(connection, notice_id)
        assert notice is not None
        return progress_state(notice, tallies), {row.channel: row for row in tallies}

    async def open_of(self, notice_id: int) -> int:
        """Recipients of whom nothing is settled yet; nobody is planned before the firing."""
        state, rows = await self.look(notice_id)
        if state in ("scheduled", "planning"):
            return sum(self.registered.values())
        return sum(row.open for row in rows.values())

    async def accepted(self, notice_id: int, channel: str) -> int:
        _, rows = await self.look(notice_id)
        return int(rows[channel].accepted) if channel in rows else 0

    async def under_way(self, notice_id: int, line: int = 500, mail: int = 20) -> None:
        """Until so many have been accepted on both channels."""

        async def reached() -> bool:
            enough = await self.accepted(notice_id, "line") >= line
            return enough and await self.accepted(notice_id, "mail") >= mail

        await until(reached, "the send to be under way")

    async def through(self, notice_id: int, channel: str) -> None:
        """Until a channel has reached everybody, whatever the other one waits for."""

        async def reached() -> bool:
            return await self.accepted(notice_id, channel) == self.registered[channel]

        await until(reached, f"{channel} to be through while the other waits")

    async def settled(self, notice_id: int, max_wait: float = 400.0) -> None:
        async def ended() -> bool:
            await asyncio.sleep(0.15)
            return (await self.look(notice_id))[0] in ENDED

        await until(ended, f"notice {notice_id} to be settled", max_wait)

    async def waiting_in_database(self) -> list[str]:
        """What each connection to PostgreSQL does or waits for; nothing on SQLite."""
        if self.database.is_sqlite:
            return []
        asked = text(
            "SELECT pid, state, wait_event_type, wait_event, now() - state_change AS since, left(query, 200) AS query"
            " FROM pg_stat_activity WHERE datname = current_database()"
        )
        async with self.database.read() as connection:
            return [str(tuple(row)) for row in await connection.execute(asked)]

    def logs(self) -> str:
        return "\n".join(process.log.read_text(errors="replace") for process in self.processes)


@asynccontextmanager
async def fault_town(
    folder: Path, *, like: Path | None = None, line: int = LINE, mail: int = MAIL, **settings: str
) -> AsyncIterator[FaultTown]:
    """A town with its registrations, nothing running yet; `like` is the folder of one to be copied."""
    async with ClientSession(timeout=ClientTimeout(total=90)) as session:
        town = FaultTown(folder, session, line, mail, **settings)
        try:
            await town.line.start(line_id(number) for number in range(line))
            await town.mail.start()
            if like is None:
                await town.prepare()
            else:
                for name in ("kairanban.db", "secret.key"):
                    shutil.copy2(like / name, folder / name)
            yield town
        finally:
            for process in reversed(town.processes):
                if process.running:
                    await process.end(9)
            await town.look_anew()
            await town.line.stop()
            await town.mail.stop()


async def check_the_books(
    town: FaultTown,
    notice_id: int,
    *,
    mail_repeats: int = 0,
    refused: Mapping[str, int] | None = None,
    usual: Sequence[str] = (),
) -> int:
    """Lost 0, LINE twice 0, mail twice at most `mail_repeats`, and `notice show` says what the outside says.

    `refused` is how many a channel has refused for good; channels in `usual` must not have noticed the
    trouble. The number of mails that came twice.
    """
    async with town.opened() as context:
        shown = notice_json(await notice_service.status(context, notice_id))
    channels, refused = shown["channels"], refused or {}
    async with town.database.read() as connection:
        notice = await notices.get(connection, notice_id)
    assert notice is not None
    arrived = {
        "line": town.line.arrived(town.posted.index(notice_id)),
        "mail": town.mail.arrived(notice.version_id),
    }
    for channel, row in channels.items():
        expected = town.registered[channel] - refused.get(channel, 0)
        figures = {name: row[name] for name in ("planned", "accepted", "refused", "unknown", "open")}
        assert figures == {
            "planned": town.registered[channel],
            "accepted": expected,
            "refused": refused.get(channel, 0),
            "unknown": 0,
            "open": 0,
        }, (channel, shown["reasons"])
        assert arrived[channel].people == expected, channel
    assert set(channels) == {"line", "mail"}
    assert arrived["line"].repeats == 0
    assert arrived["mail"].repeats <= mail_repeats
    assert await _tried_again(town, notice_id) & set(usual) == set()
    return arrived["mail"].repeats


async def _tried_again(town: FaultTown, notice_id: int) -> set[str]:
    """Channels of which a batch needed a second attempt."""
    question = (
        select(delivery.c.channel)
        .join(batch, batch.c.delivery_id == delivery.c.id)
        .where(delivery.c.notice_id == notice_id, batch.c.attempt > 1)
    )
    async with town.database.read() as connection:
        return set((await connection.scalars(question)).all())
