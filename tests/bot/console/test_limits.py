"""What staff are told when an account can send no more, or nothing at all, with LINE's stand-in behind it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.service import Service, open_town_context
from bot.settings import Settings
from channels.channel import AccountStopped, ChannelError, TemporaryFailure
from channels.reasons import Reason
from content.clock import DAY, SECOND, now_ms
from content.database import Database
from content.keys import Keys
from content.ledger import account_outages, batches, deliveries
from content.ledger.batches import Batch
from content.ledger.deliveries import batch
from content.ledger.states import BatchState
from content.notices import notices
from content.town import Town
from scheduler.failures import write_failure
from scheduler.fanout import plan_next
from scheduler.outages import KnownOutages
from scheduler.sweeps import sweep
from scheduler.triggers import fire_due
from tests.bot.console.limited_line import Line
from tests.bot.web_visitor import Page, Visitor
from tests.factories import PEOPLE, SHIBATA, make_delivery, make_subscriber, make_subscribers

LEASE = 15 * SECOND


@pytest_asyncio.fixture
async def line() -> AsyncIterator[Line]:
    made = Line()
    runner = web.AppRunner(made.app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest_asyncio.fixture
async def service(
    staffed_template: Path, keys: Keys, town: Town, tmp_path: Path, line: Line
) -> AsyncIterator[Service]:
    """As everywhere, but with a LINE that answers."""
    shutil.copyfile(staffed_template, tmp_path / "web.db")
    database = Database(f"sqlite:///{tmp_path / 'web.db'}")
    settings = Settings(
        town=SHIBATA,
        secret_key_file=tmp_path / "secret.key",
        line={"channel_token": "token", "channel_secret": "secret", "api_base": line.origin},
        mail={"smtp_url": "smtp://127.0.0.1:1", "from": "柴田町 <notice@example.jp>"},
    )
    yield Service(settings, open_town_context(settings, town, database, keys))
    await database.close()


@pytest_asyncio.fixture
async def residents(service: Service) -> None:
    """Two on LINE and one by mail chose 災害."""
    async with service.database.write() as connection:
        for person in PEOPLE:
            await make_subscriber(connection, service.keys, person)


async def stored(service: Service) -> notices.Notice:
    async with service.database.read() as connection:
        return (await notices.recent(connection))[0]


class TestBeforeSending:
    @pytest.mark.usefixtures("residents")
    async def test_who_can_be_sent_to_needs_no_word(self, tanaka: Visitor, line: Line) -> None:
        line.allow(2)
        assert "通が必要です" not in (await tanaka.write(category="saigai")).text

    @pytest.mark.usefixtures("residents")
    async def test_a_channel_that_cannot_bear_it_is_pointed_out_and_the_others_go(
        self, tanaka: Visitor, line: Line, service: Service
    ) -> None:
        line.allow(1)
        page = await tanaka.write(category="saigai")
        assert "LINEでは、だれにも送られません:" in page.text
        assert "今月あと1通のところ、このお知らせには2通が必要です。" in page.text
        assert "ほかの手段の1件には送ります" in page.text
        assert "LINEの料金プランか追加メッセージの上限を上げるか、宛先を絞ってください" in page.text
        assert "これから 1 件に送ります" in page.text
        assert (await tanaka.approve(page)).status == 422
        await tanaka.approve(page, accept=["quota"])
        assert (await stored(service)).state == "approved"

    @pytest.mark.usefixtures("residents")
    async def test_a_notice_that_would_reach_nobody_is_refused_with_the_figures(
        self, tanaka: Visitor, line: Line, service: Service
    ) -> None:
        spec = await tanaka.write(category="saigai", channels=["line"])
        line.allow(1)
        page = await tanaka.approve(spec)
        assert page.status == 422
        assert "このままでは送れません" in page.text
        assert "LINEでは送れません。今月あと1通のところ、このお知らせには2通が必要です。" in page.text
        assert 'name="word"' not in page.html
        assert (await stored(service)).state == "draft"

    @pytest.mark.usefixtures("residents")
    async def test_a_scheduled_notice_is_only_warned_of_since_the_plan_may_be_raised_by_then(
        self, tanaka: Visitor, line: Line, service: Service
    ) -> None:
        line.allow(0)
        page = await tanaka.write(category="saigai", channels=["line"], when="at", at="2099-04-07T09:00")
        assert "このままでは、LINEでは送られません:" in page.text
        await tanaka.approve(page, accept=["quota"])
        assert (await stored(service)).state == "approved"

    @pytest.mark.usefixtures("residents")
    async def test_a_line_that_does_not_answer_keeps_nobody_from_sending(
        self, tanaka: Visitor, line: Line, service: Service
    ) -> None:
        line.allow(0)
        line.sandbox.faults.add(
            {"action": {"type": "status", "code": 500}, "match": {"path": "*/quota*"}, "times": 9}
        )
        page = await tanaka.approve(await tanaka.write(category="saigai", channels=["line"]))
        assert page.status == 200
        assert (await stored(service)).state == "approved"


class TestAfterARefusal:
    @pytest.mark.usefixtures("residents")
    async def test_the_notice_says_what_was_left_what_it_took_and_what_to_do(
        self, tanaka: Visitor, line: Line, service: Service
    ) -> None:
        page = await refused(tanaka, line, service)
        assert "LINEでは、だれにも送っていません" in page.text
        assert "今月あと1通のところ、このお知らせには2通が必要です。" in page.text
        assert "一部の人だけに届くことのないよう、全員分をとりやめました" in page.text
        assert "LINEの料金プランか追加メッセージの上限を上げるか" in page.text
        assert "宛先2件のうち受付0件、不達2件、不明0件" in page.text
        assert "LINE 2件 LINEの今月の配信数の上限のため、送れませんでした" in page.text
        assert "中止:LINEの今月の配信数の上限のため" in page.text

    @pytest.mark.usefixtures("residents")
    async def test_messages_of_another_notice_are_named(
        self, tanaka: Visitor, line: Line, service: Service
    ) -> None:
        async with service.database.write() as connection:
            ids = await make_subscribers(connection, service.keys, 1)
            await make_delivery(connection, [ids], at=now_ms())
        page = await refused(tanaka, line, service, left=3)
        assert (
            "今月あと3通(うち1通は、配信中のほかのお知らせの分)のところ、このお知らせには3通が必要です。"
            in page.text
        )

    @pytest.mark.usefixtures("residents")
    async def test_the_banner_stays_until_something_is_accepted_again(
        self, tanaka: Visitor, line: Line, service: Service
    ) -> None:
        assert banner(await tanaka.get("/console/")) == ""
        await refused(tanaka, line, service)
        shown = banner(await tanaka.get("/console/"))
        assert "LINE:LINEの今月の配信数の上限のため、送れませんでした。" in shown
        assert "防災無線" in shown
        async with service.database.write() as connection:
            ids = await make_subscribers(connection, service.keys, 1)
            await make_delivery(connection, [ids], at=now_ms())
            await accept_next(connection)
        assert banner(await tanaka.get("/console/")) == ""

    @pytest.mark.usefixtures("residents")
    async def test_another_month_has_another_quota(
        self, tanaka: Visitor, line: Line, service: Service
    ) -> None:
        await refused(tanaka, line, service)
        async with service.database.write() as connection:
            await connection.execute(
                deliveries.delivery.update().values(created_at=deliveries.delivery.c.created_at - 31 * DAY)
            )
        assert banner(await tanaka.get("/console/")) == ""


async def refused(tanaka: Visitor, line: Line, service: Service, left: int = 1) -> Page:
    """The page of a notice that LINE could not bear."""
    line.allow(100)
    confirm = await tanaka.write(category="saigai", channels=["line"])
    await tanaka.approve(confirm)
    line.allow(left)
    await fire_due(service.context)
    while await plan_next(service.context):
        pass
    return await tanaka.get(f"/console/notices/{(await stored(service)).id}")


def banner(page: Page) -> str:
    """The words above every page while something is stopped."""
    marked = 'class="problem outages" role="alert">'
    if marked not in page.html:
        return ""
    inner = page.html.partition(marked)[2].partition("</div>")[0]
    return Page(page.status, page.path, inner, {}).text


async def claim(connection: AsyncConnection) -> Batch:
    (claimed,) = await connection.run_sync(
        batches.claim, account="line", lane="routine", owner="t", now=now_ms(), lease=LEASE, most=1
    )
    return claimed


async def accept_next(connection: AsyncConnection) -> None:
    await connection.run_sync(batches.accept_all, await claim(connection), now=now_ms())


class TestCredentials:
    """As the sender writes it down when LINE answers 401."""

    async def stop(self, service: Service, error: ChannelError | None = None) -> None:
        async with service.database.write() as connection:
            ids = await make_subscribers(connection, service.keys, 4)
            await make_delivery(connection, [ids[:2], ids[2:]], at=now_ms())
            error = error or AccountStopped(Reason.CREDENTIALS, "")
            claimed = await claim(connection)
            await connection.run_sync(write_failure, claimed, error, error.reason, now_ms())

    @pytest.mark.parametrize(
        "path", ["/console/", "/console/notices", "/console/notices/new", "/console/reports"]
    )
    async def test_every_page_says_that_the_account_is_stopped_what_waits_and_what_to_do(
        self, tanaka: Visitor, service: Service, path: str
    ) -> None:
        await self.stop(service)
        shown = banner(await tanaka.get(path))
        assert "LINEで送れません:LINEのアクセストークンが使えません。" in shown
        assert "チャネルアクセストークンを発行し直して設定するよう" in shown
        assert "待っている4件は、直りしだい自動で送ります" in shown

    async def test_a_mail_server_that_refuses_the_login_is_one_of_them(
        self, tanaka: Visitor, service: Service
    ) -> None:
        await self.stop(service, AccountStopped(Reason.AUTHENTICATION, ""))
        assert "メールサーバーにログインできません" in banner(await tanaka.get("/console/"))

    async def test_it_vanishes_with_the_first_message_that_is_accepted(
        self, tanaka: Visitor, service: Service
    ) -> None:
        await self.stop(service)
        outages = KnownOutages()
        await outages.refresh(service.database)
        async with service.database.write() as connection:
            # The batch that failed still waits for its next try.
            step = partial(batches.accept_all, claimed=await claim(connection), now=now_ms())
            assert await connection.run_sync(outages.ending_with(step, "line"))
        assert banner(await tanaka.get("/console/")) == ""

    async def test_another_account_that_accepts_proves_nothing(
        self, tanaka: Visitor, service: Service
    ) -> None:
        await self.stop(service)
        outages = KnownOutages()
        await outages.refresh(service.database)
        async with service.database.write() as connection:
            step = partial(batches.accept_all, claimed=await claim(connection), now=now_ms())
            await connection.run_sync(outages.ending_with(step, "mail"))
        assert banner(await tanaka.get("/console/"))

    async def test_nothing_that_waits_is_needed_for_the_account_to_count_as_stopped(
        self, tanaka: Visitor, service: Service
    ) -> None:
        await self.stop(service)
        async with service.database.write() as connection:
            await connection.execute(batch.update().values(state=BatchState.SETTLED))
        assert "待っている0件" in banner(await tanaka.get("/console/"))

    async def test_an_account_that_left_the_town_is_not_complained_of(
        self, tanaka: Visitor, service: Service
    ) -> None:
        async with service.database.write() as connection:
            await connection.run_sync(account_outages.begin, "fax", reason="credentials", now=now_ms())
        await sweep(service.context)
        assert banner(await tanaka.get("/console/")) == ""

    async def test_a_wait_for_better_times_is_no_stop(self, tanaka: Visitor, service: Service) -> None:
        await self.stop(service, TemporaryFailure(Reason.UNREACHABLE, ""))
        assert banner(await tanaka.get("/console/")) == ""

    async def test_strangers_are_told_nothing(self, stranger: Visitor, service: Service) -> None:
        await self.stop(service)
        for path in ("/console/login", "/console/", "/"):
            assert "アクセストークン" not in (await stranger.get(path)).html
