"""The log: ids and counts only. No address, token or text is ever a field of it.

Libraries write into it as well, and their messages hold what they choked on: a malformed request with
its cookies, a mail with its address. Of what they say the log keeps who said it, where in our code it
happened and the kind of error, never the words.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

import structlog
from structlog.typing import EventDict, WrappedLogger

from content.clock import JST

# A place of a library that complains again within so many seconds is counted, not written.
QUIET = 60.0


def configure_logging(log_format: str, level: int = logging.INFO) -> None:
    """To stderr, so that stdout carries results alone."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            add_time,
            name_error,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [FromLibraries()]
    root.setLevel(logging.WARNING)


def log_to_stderr() -> None:
    """For a command that prints results: what goes wrong on the way is no result."""
    # Asked anew for each line, since whoever calls a command from a program changes its streams.
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def add_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The time in Japan, with its zone: 2026-04-07T09:30:00.123+09:00."""
    event["timestamp"] = datetime.now(JST).isoformat(timespec="milliseconds")
    return event


def name_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """In the place of a traceback with its message: the kind of error and where it was."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["where"] = where(error.__traceback__)
    return event


def where(trace: TracebackType | None) -> list[str]:
    """File, line and function of the last calls. Neither message nor local variables: they may hold data."""
    frames = traceback.extract_tb(trace)[-6:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


class FromLibraries(logging.Handler):
    """Writes what libraries report, one line for each place and minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._clock = clock
        self._written: dict[tuple[str, str], float] = {}
        self._kept_back: dict[tuple[str, str], int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        place = (record.name, f"{record.filename}:{record.lineno}")
        if self._clock() < self._written.get(place, -QUIET) + QUIET:
            self._kept_back[place] = self._kept_back.get(place, 0) + 1
            return
        self._written[place] = self._clock()
        count = self._kept_back.pop(place, 0)
        structlog.get_logger(record.name).log(
            record.levelno,
            "library_report",
            library=record.name,
            place=place[1],
            **({"unwritten_before": count} if count else {}),
            **({"exc_info": record.exc_info} if record.exc_info else {}),
        )
