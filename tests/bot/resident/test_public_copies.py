"""Copies of public notices on disk: whole, current, and gone when the notice has ended."""

from __future__ import annotations

import gzip
from pathlib import Path

from bot.pages import environment
from bot.public_copies import write_copies
from bot.service import Service
from content.clock import now_ms
from content.notices import notices, triggers
from content.notices.recent_notices import last_change
from content.notices.states import NoticeKind
from tests.bot.resident.test_pages import publish
from tests.bot.web_visitor import Visitor
from tests.factories import make_notice

LARGEST = 14 * 1024
# As long as a notice may be, with as many different signs as a real one has.
LONG = "".join(chr(0x4E00 + (number * 7919) % 1500) for number in range(5000))


async def write(service: Service, folder: Path) -> set[str]:
    await write_copies(service, environment(service), folder)
    return {path.name for path in (folder / "n").iterdir()}


async def names(service: Service, *ids: int) -> set[str]:
    async with service.database.read() as connection:
        found = [await notices.get(connection, number) for number in ids]
    return {f"{item.public_id}.html{packed}" for item in found for packed in ("", ".gz")}


async def test_a_copy_is_the_page_and_small(service: Service, stranger: Visitor, tmp_path: Path) -> None:
    number = await publish(service, urgency="urgent")
    assert await write(service, tmp_path) == await names(service, number)
    (copy,) = (tmp_path / "n").glob("*.html")
    shown = await stranger.get(f"/n/{copy.stem}")
    assert copy.read_text(encoding="utf-8") == shown.html
    packed = Path(f"{copy}.gz").read_bytes()
    assert gzip.decompress(packed) == copy.read_bytes() and len(packed) < LARGEST
    assert "<script" not in shown.html
    assert (tmp_path / "static" / "kairanban.css").is_file()


async def test_the_longest_notice_is_one_packet_train_too(service: Service, tmp_path: Path) -> None:
    await publish(service, texts={"ja": ("長いお知らせ", LONG)})
    await write(service, tmp_path)
    (packed,) = (tmp_path / "n").glob("*.gz")
    assert len(packed.read_bytes()) < LARGEST


async def test_a_correction_is_on_the_copy_and_what_has_ended_is_gone(
    service: Service, tmp_path: Path
) -> None:
    now = now_ms()
    original = await publish(service)
    ended = await publish(service, expires=now + 3_600_000)
    drill = await publish(service, mode="drill")
    assert await write(service, tmp_path) == await names(service, original, ended)
    async with service.database.read() as connection:
        before = await last_change(connection, now)
        assert await last_change(connection, now) == before
        assert await last_change(connection, now + 3_600_000) != before
    async with service.database.write() as connection:
        withdrawal = await make_notice(connection, kind=NoticeKind.WITHDRAWAL, corrects=original)
        await triggers.fire(connection, withdrawal, now)
        assert await last_change(connection, now) != before
    service.database.now = lambda: now + 3_600_000  # type: ignore[method-assign]
    assert await write(service, tmp_path) == await names(service, original, withdrawal)
    (first,) = [name for name in await names(service, original) if name.endswith("html")]
    assert "取り消されました" in (tmp_path / "n" / first).read_text(encoding="utf-8")
    assert not await names(service, drill) & {path.name for path in (tmp_path / "n").iterdir()}
