"""What commands share: exit codes, settings, talking to stderr, progress.

Settings and database are imported by the functions that open them: a command of the sandbox needs neither.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Container, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from bot.service import Service
    from bot.settings import Settings

OK, FAILED, USAGE, PARTLY, NOBODY, TIMED_OUT = range(6)
QUIET_LINE_EVERY = 10.0

Result = TypeVar("Result")

PREFIX = "KAIRANBAN_"
# For the tests of this project, which start commands with their own environment.
NOT_SETTINGS = ("KAIRANBAN_TEST_", "KAIRANBAN_REQUIRE_SERVICES")

NO_TOWN = (
    "KAIRANBAN_TOWN is not set: point it to your town's profile, a TOML file such as examples/shibata.toml."
)

talk = Console(stderr=True)


def fail(message: str, code: int = FAILED) -> NoReturn:
    """Say what went wrong and what to do, on stderr, and end."""
    talk.print(message, style="bold red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def print_json(value: object) -> None:
    """Results go to stdout alone."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def load_settings() -> Settings:
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from bot.settings import Settings

    unknown = sorted(
        name for name in os.environ if name.startswith(PREFIX) and not _is_known(name, Settings.model_fields)
    )
    if unknown:
        fail(f"No such setting: {', '.join(unknown)}. docs/settings.md lists them all.", USAGE)
    try:
        return Settings()
    except (ValidationError, SettingsError) as error:
        if isinstance(error, ValidationError) and any(item["loc"] == ("town",) for item in error.errors()):
            fail(NO_TOWN, USAGE)
        fail(f"The settings cannot be used:\n{_describe(error)}", USAGE)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


@asynccontextmanager
async def opened(settings: Settings, *, only_reads: bool = False) -> AsyncIterator[Service]:
    """The service of these settings; failures end the command with their remedy.

    Whatever does more than reading may log on the way, and a log is no result. One that `only_reads` loads no log.
    """
    from sqlalchemy.exc import DBAPIError

    from bot.service import open_service
    from content.database import UnknownDatabase
    from content.database.files import NotPrivate, make_private
    from content.database.identity import WrongDatabase
    from content.key_file import KeyFileError
    from content.schema import SchemaMismatch
    from content.town import TownProfileError

    if not only_reads:
        from bot.logs import log_to_stderr

        log_to_stderr()
    try:
        for path in make_private(settings.database_url.get_secret_value()):
            talk.print(f"{path} could be read by others; it is private now.", highlight=False, soft_wrap=True)
        service = await open_service(settings)
    except (SchemaMismatch, NotPrivate) as error:
        fail(str(error), FAILED)
    except (TownProfileError, KeyFileError, WrongDatabase, UnknownDatabase) as error:
        fail(str(error), USAGE)
    except (OSError, DBAPIError) as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        fail(
            f"The database cannot be reached ({kind}); check KAIRANBAN_DATABASE_URL and that it runs.", FAILED
        )
    try:
        if only_reads:
            yield service
            return
        from bot.key_watch import keys_kept_current

        async with keys_kept_current(service):
            yield service
    finally:
        await service.database.close()


def operator() -> str:
    """Who acts on the command line, for the audit trail."""
    return f"cli:{getpass.getuser()}"


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, a line every ten seconds otherwise; call the result with what was done."""
    if talk.is_terminal:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=talk) as bar:
            task = bar.add_task(label, total=total)
            yield lambda done: bar.advance(task, done)
        return
    yield _lines(label, total)


def _is_known(name: str, sections: Container[str]) -> bool:
    # Inside a section pydantic itself refuses what it does not know.
    first = name.removeprefix(PREFIX).lower().partition("__")[0]
    return first in sections or name.startswith(NOT_SETTINGS)


def _lines(label: str, total: int) -> Callable[[int], None]:
    begun = last = time.monotonic()
    so_far = 0

    def advance(done: int) -> None:
        nonlocal so_far, last
        so_far += done
        now = time.monotonic()
        if now - last >= QUIET_LINE_EVERY or so_far >= total:
            last = now
            talk.print(f"{label}: {so_far}/{total} ({now - begun:.0f} s)", highlight=False)

    return advance


def _describe(error: Exception) -> str:
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    return "\n".join(
        f"  {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    )
