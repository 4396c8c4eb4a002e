"""What stands in the log, and what never does."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog
from aiohttp import web

from bot.logs import QUIET, FromLibraries, configure_logging

SECRET = "tok3n-of-a-resident"


@pytest.fixture
def log_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Call it for the lines written so far; the logging of the tests comes back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging("json")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def test_every_line_tells_the_time_zone(log_lines) -> None:
    structlog.get_logger("a").info("serving")
    logging.getLogger("a.library").warning("something")
    lines = log_lines()
    assert len(lines) == 2
    assert all(line["timestamp"].endswith("+09:00") for line in lines)


def test_an_error_is_named_without_its_message(log_lines) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        structlog.get_logger("a").exception("step_failed", step="triggers")
        logging.getLogger("a.library").exception("could not handle %s", SECRET)
    ours, theirs = log_lines()
    assert ours["step"] == "triggers"
    for line in (ours, theirs):
        assert line["error"] == "ValueError"
        assert "test_an_error_is_named_without_its_message" in line["where"][-1]
        assert SECRET not in json.dumps(line)


def test_a_library_that_repeats_itself_is_written_once_a_minute(log_lines) -> None:
    now = [0.0]
    logging.getLogger().handlers = [FromLibraries(lambda: now[0])]
    logger = logging.getLogger("a.library")
    for moment in (0.0, 1.0, QUIET - 1, QUIET, QUIET + 1):
        now[0] = moment
        logger.error("bad request %s", SECRET)
    first, second = log_lines()
    assert "unwritten_before" not in first and second["unwritten_before"] == 2
    assert SECRET not in json.dumps([first, second])


async def test_malformed_requests_leave_one_line_without_a_word_of_theirs(log_lines) -> None:
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    for _ in range(20):
        reader, writer = await asyncio.open_connection(*runner.addresses[0])
        writer.write(
            f"GET /unsubscribe/{SECRET} HTTP/9.9\r\nCookie: {SECRET}\r\n\x00: {SECRET}\r\n\r\n".encode()
        )
        await reader.read(65536)
        writer.close()
    await runner.cleanup()
    lines = log_lines()
    assert len(lines) <= 1
    assert SECRET not in json.dumps(lines)
