"""One process that serves: web pages, LINE conversation, triggers and sender; strangers talk to its door."""

from __future__ import annotations

import asyncio
import gc
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

import structlog
from aiohttp import web

from bot.accounts import line_api
from bot.app import create_app
from bot.door.descriptors import raise_limit
from bot.door.keeper import DoorKeeper, bind
from bot.heartbeat import Heartbeat
from bot.line.friend_link import FRIEND_LINK
from bot.line.friend_watch import watch_friends
from bot.line.handling import run_inbox
from bot.line.insights import watch_insights
from bot.line.menu_watch import watch_menu
from bot.line.site_watch import look_once, watch_site
from bot.locking import locked
from bot.mail_in.server import taking_mail
from bot.metrics import Metrics, measuring
from bot.public_copies import keep_copies
from bot.service import Service
from channels.line.models import load_models
from scheduler.runner import Runner

log = structlog.get_logger(__name__)

# Seconds that pages under way have when the service stops, behind those that the door has.
LAST_ANSWERS = 1.5


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[str]:
    """Serve until the block ends; yields the address that is listened on."""
    raise_limit()
    web_settings = service.settings.web
    with ExitStack() as held:
        held.enter_context(_only_one(service))
        listening = held.enter_context(closing(await bind(*web_settings.host_and_port)))
        folder = held.enter_context(_folder())
        runner = Runner(service.context)
        beside: dict[str, asyncio.Task[None]] = {}
        listen = service.settings.metrics.listen
        metrics = Metrics(service) if listen else None
        pages = await _serve_inside(service, lambda: _troubles(runner, beside), folder / "pages", metrics)
        door = DoorKeeper(
            listening,
            folder / "pages",
            trusted_proxies=web_settings.trusted_proxies,
            log_format=service.settings.log_format,
        )
        await door.open()
        heartbeat = Heartbeat(service.settings, service.database)
        await heartbeat.start(runner.is_sending)
        api = line_api(service.settings)
        await look_once(service, api)
        await runner.start()
        friend_link = pages.app[FRIEND_LINK]
        inbox = beside["inbox"] = asyncio.create_task(run_inbox(service, api, friend_link))
        menus = asyncio.create_task(watch_menu(service, api, friend_link))
        copies = asyncio.create_task(keep_copies(service))
        friends = asyncio.create_task(watch_friends(service, api))
        site = asyncio.create_task(watch_site(service, api))
        insights = asyncio.create_task(watch_insights(service, api))
        warming = asyncio.create_task(asyncio.to_thread(warm_up))
        log.info("serving", listen=web_settings.listen, public_url=service.settings.public_url)
        try:
            async with taking_mail(service), measuring(metrics, listen):
                yield service.settings.public_url
        finally:
            # Side by side: neither a visitor nor a service outside makes the whole take longer than five seconds.
            loops = (inbox, menus, copies, friends, insights, site)
            await asyncio.gather(_send_away(door, pages), *map(_end, loops), warming, runner.stop())
            await heartbeat.stop()
            await api.close()
            await service.database.close()
            log.info("stopped")


async def _send_away(door: DoorKeeper, pages: web.AppRunner) -> None:
    await door.close()
    await pages.cleanup()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _troubles(runner: Runner, beside: dict[str, asyncio.Task[None]]) -> list[str]:
    """What should run in this process and does not, in words."""
    ended = [f"{name} has ended" for name, task in beside.items() if task.done()]
    return [*runner.loop_troubles(), *ended]


async def _serve_inside(
    service: Service, loop_troubles: Callable[[], list[str]], path: Path, metrics: Metrics | None
) -> web.AppRunner:
    """The pages on a Unix socket that nobody but the door reaches."""
    pages = web.AppRunner(
        create_app(
            service,
            behind_door=True,
            loop_troubles=loop_troubles,
            middlewares=[] if metrics is None else [metrics.time_webhooks],
        ),
        access_log=None,
        auto_decompress=False,
        shutdown_timeout=LAST_ANSWERS,
    )
    await pages.setup()
    await web.UnixSite(pages, path).start()
    return pages


@contextmanager
def _folder() -> Iterator[Path]:
    """Open to this user alone. The door clears it away as well, for a parent that was killed."""
    path = Path(tempfile.mkdtemp(prefix="kairanban-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def warm_up() -> None:
    """Make a process that sends ready for its first notice.

    LINE's models are a large heap that never becomes garbage, and a batch makes hundreds of small objects:
    without this every few batches the collector looks through all of it, and sending is half as fast.
    """
    gc.disable()
    try:
        load_models()
    finally:
        gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    # The loop shares its lock with the threads that write the ledger; it should not wait 5 ms for that lock.
    sys.setswitchinterval(0.001)


async def wait_for_signal() -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


@contextmanager
def _only_one(service: Service) -> Iterator[None]:
    """Two services on one SQLite file would take each other's batches, so the second is refused."""
    if not service.database.is_sqlite:
        yield
        return
    with locked(service.database.path):
        yield
