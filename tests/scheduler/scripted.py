"""A channel that does what a test wrote down, and the stage on which a sender works with it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, text, update

from channels.channel import (
    Announcement,
    CannotRender,
    Channel,
    Part,
    Recipient,
    always,
)
from channels.preview import Preview
from content.clock import now_ms
from content.database import Database
from content.keys import Keys
from content.ledger import deliveries
from content.ledger.deliveries import batch, delivery, refusal
from content.ledger.tallies import Tally, tally
from content.notices import notice_changes, notices
from content.town import Account, Town
from scheduler.fanout import plan_next
from scheduler.sender import Sender
from scheduler.town_context import TownContext
from scheduler.triggers import fire_due
from tests.factories import make_delivery, make_subscribers, spec

# Gives one empty database after the other.
Fresh = Callable[[], Awaitable[Database]]
# A step of one `send`: so many accepted, a part, an error to raise, a gate to wait at, or something to do.
Step = int | Part | Exception | asyncio.Event | Callable[[], Awaitable[Any]]


@dataclass
class Call:
    """One `send`, as the service outside would see it."""

    recipients: tuple[int, ...]
    retry_key: str
    language: str
    accepted: list[int] = field(default_factory=list)


@dataclass
class Script:
    """What becomes of the calls to one account, call by call; when it is used up everything is accepted."""

    batch_size: int = 2
    concurrency: int = 1
    rate: float | None = None
    idempotent: bool = False
    calls: list[Call] = field(default_factory=list)
    broadcasts: list[str] = field(default_factory=list)
    acts: deque[tuple[Step, ...]] = field(default_factory=deque)
    cannot_render: bool = False
    opened: int = 0
    closed: int = 0

    def then(self, *steps: Step) -> Script:
        """Add what the next call does."""
        self.acts.append(steps)
        return self

    def next(self) -> tuple[Step, ...]:
        return self.acts.popleft() if self.acts else ()

    @property
    def accepted(self) -> list[int]:
        """Everybody who was accepted, as often as it happened."""
        return [subscriber_id for call in self.calls for subscriber_id in call.accepted]


class ScriptedChannel:
    """A channel whose service outside is a script."""

    def __init__(self, name: str, script: Script) -> None:
        self.name = name
        self.batch_size = script.batch_size
        self.concurrency = script.concurrency
        self.rate = script.rate
        self.idempotent = script.idempotent
        self.broadcasts = name == "line"
        self.metered = False
        self.posts = False
        self._script = script

    def prepare(self, announcement: Announcement, language: str) -> str:
        if self._script.cannot_render:
            raise CannotRender("body", "本文が長すぎます。")
        return language

    def preview(self, announcement: Announcement, language: str) -> Preview:
        words = announcement.text(language)
        return Preview(self.name, language, words.title, words.body)

    def open(self) -> ScriptedSession:
        self._script.opened += 1
        return (ScriptedBroadcastSession if self.broadcasts else ScriptedSession)(self, self._script)


class ScriptedSession:
    """One opened for sending."""

    def __init__(self, channel: Channel, script: Script) -> None:
        self.channel = channel
        self._script = script

    async def send(
        self,
        prepared: str,
        recipients: Sequence[Recipient],
        retry_key: str,
        may_go_on: Callable[[], bool] = always,
        *,
        maybe_sent: bool = False,
    ) -> AsyncGenerator[Part, None]:
        ids = tuple(recipient.subscriber_id for recipient in recipients)
        call = Call(ids, retry_key, prepared)
        self._script.calls.append(call)
        done = 0
        for step in self._script.next():
            if done and not may_go_on():
                return
            if isinstance(step, Exception):
                raise step
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, int | Part):
                part = Part(step) if isinstance(step, int) else step
                done += _accept(call, done, part)
                yield part
            else:
                await step()
        if done < len(ids) and (not done or may_go_on()):
            part = Part(len(ids) - done)
            _accept(call, done, part)
            yield part

    async def close(self) -> None:
        self._script.closed += 1


class ScriptedBroadcastSession(ScriptedSession):
    """One that also reaches everyone in one call."""

    async def broadcast(self, announcement: Announcement, retry_key: str) -> None:
        self._script.broadcasts.append(retry_key)
        for step in self._script.next():
            if isinstance(step, Exception):
                raise step


def _accept(call: Call, done: int, part: Part) -> int:
    refused = {one.subscriber_id for one in part.refused} | {one.subscriber_id for one in part.deferred}
    call.accepted += [one for one in call.recipients[done : done + part.size] if one not in refused]
    return part.size


@dataclass
class Stage:
    """A town on a database, with a script for each account."""

    context: TownContext
    scripts: dict[str, Script]

    @property
    def database(self) -> Database:
        return self.context.database

    @property
    def line(self) -> Script:
        return self.scripts["line"]

    @property
    def mail(self) -> Script:
        return self.scripts["mail"]

    async def subscribers(self, number: int, channel: str = "line") -> list[int]:
        async with self.database.write() as connection:
            return await make_subscribers(connection, self.context.keys, number, at=now_ms(), channel=channel)

    async def deliver(self, batches: Sequence[Sequence[int]], **changes: Any) -> int:
        """A fired notice whose batches wait to be sent; the id of its delivery."""
        async with self.database.write() as connection:
            changes.setdefault("at", now_ms())
            return await make_delivery(connection, batches, **changes)

    async def notice(self, *, written: int | None = None, approved: bool = True, **changes: Any) -> int:
        """A notice, approved at `written` (default: now); `changes` go to its draft."""
        at = now_ms() if written is None else written
        async with self.database.write() as connection:
            notice_id, _ = await notice_changes.create(
                connection, spec(**changes), submission_key=uuid4().hex, staff="tanaka", at=at
            )
            if approved:
                await notice_changes.approve(connection, notice_id, staff="tanaka", at=at)
        return notice_id

    async def hurry(self) -> None:
        """As if every wait before a retry were over."""
        async with self.database.write(wake="batches") as connection:
            # Passing over rows that a sender is writing, which would otherwise wait for this one.
            waiting = select(batch.c.id).where(batch.c.not_before > 0).with_for_update(skip_locked=True)
            await connection.execute(update(batch).where(batch.c.id.in_(waiting)).values(not_before=0))

    async def age(self, milliseconds: int) -> None:
        """As if every batch had been planned so long ago."""
        async with self.database.write() as connection:
            await connection.execute(update(batch).values(created_at=batch.c.created_at - milliseconds))


def make_stage(town: Town, database: Database, keys: Keys, **scripts: Script) -> Stage:
    """Scripts that are not given accept everything."""
    all_scripts = {account.key: scripts.get(account.key, Script()) for account in town.accounts}

    def channel_of(account: Account) -> ScriptedChannel:
        return ScriptedChannel(account.channel, all_scripts[account.key])

    context = TownContext(
        town, database, keys, channel_of, lambda number: f"https://town.example.jp/n/{number}"
    )
    return Stage(context, all_scripts)


@asynccontextmanager
async def sending(context: TownContext, within: float = 2.0) -> AsyncIterator[Sender]:
    """A sender at work."""
    sender = Sender(context, "tester")
    task = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        await sender.stop(within)
        await asyncio.wait_for(task, 60)


async def eventually(
    check: Callable[[], Awaitable[Any]], *, within: float = 60.0, hurry: Stage | None = None
) -> Any:
    """The first true answer of `check`; with `hurry` no wait before a retry is waited for."""
    async with asyncio.timeout(within):
        while not (found := await check()):
            if hurry is not None:
                await hurry.hurry()
            await asyncio.sleep(0.01)
        return found


async def rows_of(database: Database, delivery_id: int) -> list[Any]:
    """The batches of a delivery, first to last."""
    async with database.read() as connection:
        found = await connection.execute(
            select(batch).where(batch.c.delivery_id == delivery_id).order_by(batch.c.seq)
        )
        return list(found)


async def refusals_of(database: Database, delivery_id: int) -> dict[int, str]:
    async with database.read() as connection:
        found = await connection.execute(
            select(refusal.c.subscriber_id, refusal.c.reason)
            .join(batch, batch.c.id == refusal.c.batch_id)
            .where(batch.c.delivery_id == delivery_id)
        )
        return {row.subscriber_id: row.reason for row in found}


async def tally_of(database: Database, delivery_id: int) -> Tally:
    async with database.read() as connection:
        found = await connection.run_sync(deliveries.get_delivery, delivery_id)
        tallies = await tally(connection, found.notice_id)
    return next(item for item in tallies if item.account == found.account)


async def deliveries_of(database: Database, notice_id: int) -> dict[str, Any]:
    """The deliveries of a notice by account."""
    async with database.read() as connection:
        found = await connection.execute(select(delivery).where(delivery.c.notice_id == notice_id))
        return {row.account: row for row in found}


async def states(database: Database, delivery_id: int) -> list[str]:
    return [row.state for row in await rows_of(database, delivery_id)]


async def settled(database: Database, delivery_id: int) -> bool:
    return set(await states(database, delivery_id)) <= {"settled"}


async def count(database: Database, table: Any) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


async def get_notice(database: Database, notice_id: int) -> notices.Notice:
    async with database.read() as connection:
        found = await notices.get(connection, notice_id)
    assert found is not None
    return found


async def run_sql(database: Database, statement: str, **values: Any) -> None:
    async with database.write() as connection:
        await connection.execute(text(statement), values)


async def fire(stage: Stage, **changes: Any) -> dict[str, int]:
    """A fired notice: its deliveries' ids by account."""
    notice_id = await stage.notice(**changes)
    assert await fire_due(stage.context) == 1
    return {account: row.id for account, row in (await deliveries_of(stage.database, notice_id)).items()}


async def plan_all(stage: Stage, limit: int = 200) -> None:
    for _ in range(limit):
        if not await plan_next(stage.context):
            return
    raise AssertionError("planning does not end")


@asynccontextmanager
async def another_process(stage: Stage) -> AsyncIterator[Stage]:
    """The same town and database on connections of its own."""
    database = Database(stage.database.url)
    try:
        yield make_stage(stage.context.town, database, stage.context.keys)
    finally:
        await database.close()
