"""Each thing breaks once: the monitoring system can scrape it, an operator is told what to do, and of its end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr
from sqlalchemy import update

from bot.app import create_app
from bot.metrics import Metrics, measuring
from bot.service import Service, open_service
from content.clock import HOUR, MINUTE
from content.ledger.deliveries import batch
from content.notices.notices import trigger
from sandbox.line import SandboxOptions
from sandbox.line import create_app as create_line_app
from sandbox.mail.server import SmtpSandbox
from scheduler.alarm_checks import Disk
from scheduler.alarm_codes import AlarmCode
from scheduler.alarms import watch
from scheduler.probing import AccountProbes
from tests.bot.test_belonging import made
from tests.bot.test_metrics import sample, scraped
from tests.factories import make_delivery, make_notice, make_subscribers
from tests.journeys.deployment import free_port

pytestmark = pytest.mark.slow

SECRET, TOKEN = "0123456789abcdef0123456789abcdef", "token"
ROOMY, FULL = Disk(100 * 2**30, 50 * 2**30), Disk(100 * 2**30, 2**30)


@dataclass
class Watched:
    """A service with its stand-ins, what its operators were posted, and the disk that it sees."""

    service: Service
    line_origin: str
    smtp: SmtpSandbox
    session: ClientSession
    patch: pytest.MonkeyPatch
    told: list[dict[str, Any]] = field(default_factory=list)
    disk: Disk = ROOMY

    async def look(self) -> dict[Any, float]:
        """Every probe and every check once; what can be scraped then."""
        await AccountProbes().look(self.service.context)
        await watch(self.service.context, lambda _: self.disk)
        listen = f"127.0.0.1:{free_port()}"
        async with measuring(Metrics(self.service), listen):
            return await scraped(listen)

    async def write(self, statement: Any) -> None:
        async with self.service.database.write() as connection:
            await connection.execute(statement)


async def serve(stack: AsyncExitStack, app: web.Application) -> str:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture
async def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    told: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        told.append(await request.json())
        return web.Response()

    operators = web.Application()
    operators.router.add_post("/alarm", take)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        line_origin = await serve(
            stack, create_line_app(SandboxOptions(channel_secret=SECRET, channel_token=TOKEN))
        )
        smtp = SmtpSandbox(login=("town", "right"))
        port = await smtp.start()
        stack.push_async_callback(smtp.stop)
        settings = await made(tmp_path)
        settings.line.api_base, settings.line.channel_token = line_origin, SecretStr(TOKEN)
        settings.mail.smtp_url = SecretStr(f"smtp://town:right@127.0.0.1:{port}")
        settings.mail.sender = "柴田町 <oshirase@town.example.jp>"
        settings.alarms.webhook_url = SecretStr(f"{await serve(stack, operators)}/alarm")
        service = await open_service(settings)
        stack.push_async_callback(service.database.close)
        yield Watched(service, line_origin, smtp, session, monkeypatch, told)


async def revoke_token(here: Watched) -> None:
    fault = {"target": "api", "match": {"path": "*"}, "action": {"type": "status", "code": 401}}
    async with here.session.post(f"{here.line_origin}/_sandbox/faults", json=fault) as answer:
        assert answer.status == 201


async def give_token_back(here: Watched) -> None:
    async with here.session.delete(f"{here.line_origin}/_sandbox/faults") as answer:
        assert answer.status < 300


async def change_password(here: Watched) -> None:
    here.patch.setattr(here.smtp, "_login", ("town", "other"))


async def change_password_back(here: Watched) -> None:
    here.patch.setattr(here.smtp, "_login", ("town", "right"))


async def fill_disk(here: Watched) -> None:
    here.disk = FULL


async def clear_disk(here: Watched) -> None:
    here.disk = ROOMY


async def set_clock_wrong(here: Watched) -> None:
    clock = type(here.service.database.clock)
    here.patch.setattr(clock, "own_is_far_off", property(lambda _: True))
    here.patch.setattr(clock, "own_is_ahead", property(lambda _: -90_000))


async def set_clock_right(here: Watched) -> None:
    here.patch.setattr(type(here.service.database.clock), "own_is_far_off", property(lambda _: False))


async def set_machine_wrong(here: Watched) -> None:
    """The database on this machine is as wrong, and does not notice."""
    real = time.time
    here.patch.setattr("channels.line.api.wall_clock", lambda: real() + 3600)


async def set_machine_right(here: Watched) -> None:
    here.patch.undo()


async def stop_worker(here: Watched) -> None:
    """Its time has come, and nobody fires it."""
    async with here.service.database.write() as connection:
        await make_notice(connection, at=here.service.database.now() - 3 * MINUTE)


async def start_worker(here: Watched) -> None:
    await here.write(update(trigger).values(state="fired"))


async def let_queue_age(here: Watched) -> None:
    now = here.service.database.now()
    async with here.service.database.write() as connection:
        ids = await make_subscribers(connection, here.service.keys, 4)
        await make_delivery(connection, [ids], at=now - 61 * MINUTE)
        await connection.execute(update(batch).values(last_accepted_at=now - MINUTE))


async def work_queue_off(here: Watched) -> None:
    await here.write(update(batch).values(state="settled", accepted=batch.c.size))


Act = Callable[[Watched], Awaitable[None]]


@pytest.mark.parametrize(
    ("breaks", "mends", "code", "remedy"),
    [
        (revoke_token, give_token_back, AlarmCode.ACCOUNT_STOPPED, "「配信手段」の画面"),
        (change_password, change_password_back, AlarmCode.ACCOUNT_STOPPED, "「配信手段」の画面"),
        (fill_disk, clear_disk, AlarmCode.DISK_FULL, "空けてください"),
        (set_clock_wrong, set_clock_right, AlarmCode.CLOCK_WRONG, "NTP"),
        (set_machine_wrong, set_machine_right, AlarmCode.CLOCK_WRONG, "NTP"),
        (stop_worker, start_worker, AlarmCode.SENDER_SILENT, "再起動"),
        (let_queue_age, work_queue_off, AlarmCode.QUEUE_OLD, "残りを確かめ"),
    ],
)
async def test_what_breaks_is_seen_and_told_and_so_is_its_end(
    watched: Watched, breaks: Act, mends: Act, code: AlarmCode, remedy: str
) -> None:
    alarm = sample("alarms", code=code)
    assert alarm not in await watched.look() and watched.told == []
    await breaks(watched)
    assert (await watched.look())[alarm] == 1
    [message] = watched.told
    assert (message["code"], message["ended"]) == (code, False)
    assert code.what in message["text"] and remedy in message["text"]
    await mends(watched)
    assert alarm not in await watched.look()
    assert [(item["code"], item["ended"]) for item in watched.told] == [(code, False), (code, True)]
    # Probing wrote to nobody.
    assert not watched.smtp.mailroom.recipients


@pytest.mark.parametrize(
    ("breaks", "account"), [(revoke_token, "line"), (change_password, "mail")], ids=["line", "mail"]
)
async def test_an_account_that_refuses_us_can_be_scraped_with_its_reason(
    watched: Watched, breaks: Act, account: str
) -> None:
    await breaks(watched)
    found = await watched.look()
    outages = {labels for name, labels in found if name == "kairanban_account_outage"}
    assert [dict(labels)["account"] for labels in outages] == [account]


async def test_readiness_tells_how_long_a_batch_has_waited_that_could_go(watched: Watched) -> None:
    origin = ""
    async with AsyncExitStack() as stack:
        origin = await serve(stack, create_app(watched.service))
        async with watched.session.get(f"{origin}/readyz") as answer:
            assert (answer.status, await answer.text()) == (200, "ready\n")
    await let_queue_age(watched)
    async with AsyncExitStack() as stack:
        origin = await serve(stack, create_app(watched.service))
        async with watched.session.get(f"{origin}/readyz") as answer:
            text = await answer.text()
    assert answer.status == 200
    seconds = int(text.split(" ")[-2])
    assert "the oldest batch has waited" in text and HOUR // 1000 < seconds < 2 * HOUR // 1000
