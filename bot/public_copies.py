"""Copies of the current public notices on disk, for a web server in front that outlives this process.

`n/ID.html` and beside it `n/ID.html.gz`, with the style sheet that they name. Each appears whole or not at all, is
written anew when its notice is corrected, and goes when the notice ends.
"""

from __future__ import annotations

import asyncio
import gzip
import os
from pathlib import Path

import jinja2
import structlog

from bot.pages import STATIC, environment
from bot.resident.notice import TEMPLATE, page_values
from bot.service import Service
from content.notices.recent_notices import last_change, listed

log = structlog.get_logger(__name__)

EVERY = 1.0
# After a failure, such as a full disk.
PAUSE = 30.0
# The newest ones; an older link is shown by the service itself.
MOST = 100
BESIDE = ("kairanban.css", "icon.svg")


async def keep_copies(service: Service) -> None:
    """Until it is cancelled; returns at once where no copies are wanted."""
    folder = service.settings.web.copies
    if folder is None:
        return
    templates = environment(service)
    written: object = None
    while True:
        pause = EVERY
        try:
            async with service.database.read() as connection:
                change = await last_change(connection, service.database.now())
            if change != written:
                await write_copies(service, templates, folder)
                written = change
        except Exception:
            log.exception("copies_not_written")
            pause = PAUSE
        await asyncio.sleep(pause)


async def write_copies(service: Service, templates: jinja2.Environment, folder: Path) -> None:
    """Those of now and no others. Raises OSError."""
    template = templates.get_template(TEMPLATE)
    async with service.database.read() as connection:
        found = await listed(connection, service.town, MOST, service.database.now())
        pages = {
            f"{item.public_id}.html": template.render(**await page_values(service, connection, item)).encode()
            for item in found
        }
    await asyncio.to_thread(_write, folder, pages)


def _write(folder: Path, pages: dict[str, bytes]) -> None:
    for name in BESIDE:
        _replace(folder / "static" / name, (STATIC / name).read_bytes())
    for name, page in pages.items():
        _replace(folder / "n" / name, page)
    for path in (folder / "n").glob("*.html*"):
        if path.name.removesuffix(".gz") not in pages:
            path.unlink(missing_ok=True)


def _replace(path: Path, content: bytes) -> None:
    """The file and its packed form, where they are not yet that."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    for place, data in ((path.with_name(f"{path.name}.gz"), gzip.compress(content, 9)), (path, content)):
        aside = place.with_name(f".{place.name}.{os.getpid()}")
        aside.write_bytes(data)
        aside.replace(place)
