"""The road to accounts that post: one notice, one post, whatever happens on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from sqlalchemy import select

from channels.channel import Channel
from channels.posted import PostState as ChannelPostState
from content.clock import DAY, now_ms
from content.database import Database
from content.keys import Keys
from content.ledger import exchanges, posts
from content.ledger.states import PostState
from content.notices.segments import Target
from content.notices.states import NoticeKind
from content.register.subscribers import subscriber
from content.town import Account, Mode, Town
from sandbox.sns.app import create_app
from sandbox.sns.state import Fault, SnsSandbox
from scheduler import after_sending, notice_service
from scheduler.checks import find_problems
from scheduler.sweeps import sweep
from scheduler.town_context import TownContext, announcement, chosen_accounts
from scheduler.triggers import fire_due
from tests.channels.posting import MAKE
from tests.factories import create_town, spec
from tests.scheduler.scripted import (
    Stage,
    deliveries_of,
    eventually,
    plan_all,
    run_sql,
    sending,
    settled,
    tally_of,
)

ACCOUNTS = [
    {"key": "masto", "channel": "mastodon", "topic": "公式"},
    {"key": "kanko", "channel": "mastodon", "topic": "観光", "categories": ["event"], "life_critical": False},
    {"key": "masto-drill", "channel": "mastodon", "mode": "drill"},
]


@pytest.fixture
def posting_town() -> Town:
    return create_town(accounts=ACCOUNTS)


@pytest.fixture
def sns() -> SnsSandbox:
    return SnsSandbox()


@pytest_asyncio.fixture
async def served(sns: SnsSandbox) -> AsyncIterator[str]:
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(create_app(sns), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"


def make_stage(town: Town, database: Database, keys: Keys, origin: str) -> Stage:
    def channel_of(account: Account) -> Channel:
        return MAKE[account.channel](origin, 2.0)

    context = TownContext(town, database, keys, channel_of, lambda n: f"https://town.example.jp/n/{n}")
    return Stage(context, {})


@pytest.fixture
def stage(posting_town: Town, database: Database, keys: Keys, served: str) -> Stage:
    return make_stage(posting_town, database, keys, served)


@pytest.fixture
def small_stage(posting_town: Town, sqlite_database: Database, keys: Keys, served: str) -> Stage:
    return make_stage(posting_town, sqlite_database, keys, served)


async def send_out(stage: Stage, **changes: Any) -> int:
    notice_id = await stage.notice(
        **{"category": "saigai", "urgency": "urgent", "channels": ("mastodon",), **changes}
    )
    await go_on(stage, notice_id)
    return notice_id


async def go_on(stage: Stage, notice_id: int) -> None:
    """Fire it, and send it to the end."""
    await fire_due(stage.context)
    await plan_all(stage)
    found = await deliveries_of(stage.database, notice_id)
    async with sending(stage.context):
        for row in found.values():
            await eventually(lambda row=row: settled(stage.database, row.id), hurry=stage)  # type: ignore[misc]


async def follow(stage: Stage, notice_id: int, kind: NoticeKind) -> int:
    about = await after_sending.follow_up(stage.context, notice_id, kind)
    corrected = await notice_service.post(stage.context, about, submission_key=uuid4().hex, staff="cli:sato")
    await go_on(stage, corrected)
    return corrected


async def shown_states(stage: Stage, notice_id: int) -> list[str]:
    async with stage.database.read() as connection:
        return [item.state for item in await posts.shown_of(connection, notice_id)]


async def test_a_notice_is_posted_once_and_stands_in_the_ledger(stage, sns):
    notice_id = await send_out(stage)
    found = await deliveries_of(stage.database, notice_id)
    assert set(found) == {"masto"}
    row = await tally_of(stage.database, found["masto"].id)
    assert (row.planned, row.accepted, row.open) == (1, 1, 0)
    assert len(sns.posts) == 1
    status = await notice_service.status(stage.context, notice_id)
    assert [(item.account, item.state) for item in status.posts] == [("masto", "out")]
    assert status.state == "finished"


async def test_a_correction_answers_and_marks_what_it_corrects_and_a_withdrawal_deletes_both(stage, sns):
    first = await send_out(stage)
    second = await follow(stage, first, NoticeKind.CORRECTION)
    assert await shown_states(stage, first) == [PostState.MARKED]
    assert await shown_states(stage, second) == [PostState.OUT]
    assert sns.posts[1].reply_to == sns.posts[0].number
    third = await follow(stage, second, NoticeKind.WITHDRAWAL)
    assert [await shown_states(stage, number) for number in (first, second)] == [[PostState.DELETED]] * 2
    assert [item.state for item in sns.posts] == ["deleted", "deleted", "out"]
    assert await shown_states(stage, third) == [PostState.OUT]


async def test_who_posts_is_no_subscriber(small_stage):
    await send_out(small_stage)
    async with small_stage.database.read() as connection:
        states = set(await connection.scalars(select(subscriber.c.state)))
    assert states == {"erased"}


async def test_a_crash_behind_the_post_does_not_post_again(small_stage, sns):
    sns.fail("mastodon", Fault(lost=True))
    notice_id = await send_out(small_stage)
    assert len(sns.posts) == 1
    assert await shown_states(small_stage, notice_id) == [PostState.OUT]


async def test_a_process_that_was_killed_is_taken_over(small_stage, sns):
    notice_id = await small_stage.notice(category="saigai", urgency="urgent", channels=("mastodon",))
    await fire_due(small_stage.context)
    await plan_all(small_stage)
    # As if it had died right behind its post: claimed, and the lease is over.
    await run_sql(
        small_stage.database, "UPDATE batch SET state = 'claimed', lease_owner = 'dead', lease_until = 1"
    )
    words = small_stage.context.channel_of(small_stage.context.town.account["masto"])
    found = await notice_service.find(small_stage.context, notice_id)
    text = words.prepare(announcement(small_stage.context, found), "ja").parts[0]
    sns.add("mastodon", "token-of-the-town", text)
    await sweep(small_stage.context)
    await go_on(small_stage, notice_id)
    assert len(sns.posts) == 1
    assert await shown_states(small_stage, notice_id) == [PostState.OUT]


async def test_the_calls_are_kept_for_a_week_without_what_nobody_may_read(small_stage, sns):
    sns.fail("mastodon", Fault(status=429, retry_after="1"))
    notice_id = await send_out(small_stage)
    assert await small_stage.context.exchanges.flush(small_stage.database) == 2
    async with small_stage.database.write() as connection:
        found = await exchanges.of_notice(connection, notice_id, 10)
        assert [(account, item.status, item.what) for account, item in found] == [
            ("masto", 200, "/…/api/v1/statuses"),
            ("masto", 429, "/…/api/v1/statuses"),
        ]
        assert await exchanges.forget_old(connection, now_ms()) == 0
        assert await exchanges.forget_old(connection, now_ms() + 8 * DAY) == 2


def test_every_account_carries_what_it_is_about(small_stage):
    def accounts(category: str, **changes: Any) -> set[str]:
        wanted = spec(category=category, channels=("mastodon",), **changes)
        return set(chosen_accounts(small_stage.context, wanted))

    assert accounts("saigai") == {"masto"}
    assert accounts("event") == {"masto", "kanko"}
    assert accounts("saigai", mode=Mode.DRILL) == {"masto-drill"}


def test_what_is_for_a_group_is_never_posted(small_stage):
    group = next(iter(small_stage.context.town.group))
    closed = spec(category="event", channels=("mastodon",), target=Target("group", group))
    assert chosen_accounts(small_stage.context, closed) == {}
    assert "channels" in {item.field for item in find_problems(small_stage.context, closed)}


def test_the_ledger_and_the_channels_mean_the_same_by_the_state_of_a_post():
    assert [str(state) for state in PostState] == [str(state) for state in ChannelPostState]
