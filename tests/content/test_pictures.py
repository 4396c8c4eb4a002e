"""Pictures in the database: each once, given to versions of notices, cleared away when nothing names them."""

from __future__ import annotations

import pytest

from content.clock import DAY
from content.database import Database
from content.notices import kept_forms, notice_changes, notices, pictures
from content.notices.attachments import Attachments, Picture, Place, from_json, read_point, to_json
from content.notices.picture_files import clean_picture
from content.notices.pictures import MissingPicture
from tests import picture_files as files
from tests.factories import APRIL_TUESDAY, make_notice, spec

LATER = APRIL_TUESDAY + pictures.UNUSED_FOR + 1


async def kept(database: Database, content: bytes | None = None, at: int = APRIL_TUESDAY) -> str:
    async with database.write() as connection:
        return await pictures.keep(connection, clean_picture(content or files.png()), at=at)


def attached(name: str) -> Attachments:
    return Attachments(
        (Picture(name, {"ja": "避難所の地図", "en": "Map"}),), Place("公民館", "", 38.05, 140.76)
    )


async def test_a_notice_keeps_its_pictures_and_place_through_every_version(database: Database) -> None:
    carried = attached(await kept(database))
    async with database.write() as connection:
        number = await make_notice(connection, approved=False, attached=carried)
        await notice_changes.fill_words(connection, number, {"ja": ("題", "文")}, at=APRIL_TUESDAY)
        found = await notices.get(connection, number)
        assert found is not None and found.spec.attached == carried
        plain = spec(texts=found.spec.texts)
        assert await notice_changes.revise(connection, number, plain, staff="tanaka", at=APRIL_TUESDAY)
        found = await notices.get(connection, number)
    assert found is not None and found.spec.attached == Attachments()


async def test_a_picture_that_is_not_there_cannot_be_attached(database: Database) -> None:
    with pytest.raises(MissingPicture):
        async with database.write() as connection:
            await make_notice(connection, attached=attached(f"{'0' * 40}-1x1.png"))
    async with database.read() as connection:
        assert await notices.recent(connection) == []


async def test_the_same_picture_twice_is_one(database: Database) -> None:
    assert await kept(database) == await kept(database)
    async with database.read() as connection:
        name = clean_picture(files.png()).name
        assert await pictures.content_of(connection, name) == clean_picture(files.png()).content
        assert await pictures.content_of(connection, f"{'0' * 40}-1x1.png") is None
        assert await pictures.missing(connection, [name, "other"]) == ["other"]


async def test_what_nothing_names_is_cleared_away_and_nothing_else(database: Database) -> None:
    used, typed, fresh, lost = [
        await kept(database, files.png((width, 40)), at=LATER if width == 12 else APRIL_TUESDAY)
        for width in (10, 11, 12, 13)
    ]
    async with database.write() as connection:
        number = await make_notice(connection, approved=False, attached=attached(used))
        # A version of before counts as well: it may have been sent.
        await notice_changes.revise(connection, number, spec(), staff="tanaka", at=APRIL_TUESDAY)
        await kept_forms.keep(
            connection, "k", staff_id=1, notice_id=None, fields=[("picture", typed)], at=APRIL_TUESDAY
        )
    async with database.write() as connection:
        assert await pictures.forget_unused(connection, LATER) == 1
        assert await pictures.forget_unused(connection, LATER) == 0
        assert await pictures.missing(connection, [used, typed, fresh, lost]) == [lost]


async def test_a_picture_that_is_used_again_begins_its_time_anew(database: Database) -> None:
    name = await kept(database)
    assert await kept(database, at=APRIL_TUESDAY + DAY) == name
    async with database.write() as connection:
        assert await pictures.forget_unused(connection, LATER) == 0


def test_what_is_attached_is_written_down_and_read_again() -> None:
    assert to_json(Attachments()) == "" and from_json("") == Attachments()
    carried = attached(f"{'0' * 40}-1x1.png")
    assert from_json(to_json(carried)) == carried


@pytest.mark.parametrize(
    ("typed", "point"),
    [
        ("38.0561, 140.7653", (38.0561, 140.7653)),
        ("38.0561 140.7653", (38.0561, 140.7653)),
        ("３８．０５６１、１４０．７６５３", (38.0561, 140.7653)),
        ("北緯38.0561度 東経140.7653度", (38.0561, 140.7653)),
        ("https://maps.gsi.go.jp/#16/38.056100/140.765300/&base=std", (38.0561, 140.7653)),
        ("https://maps.example.com/maps/@38.0561,140.7653,17z", (38.0561, 140.7653)),
        ("38,140", (38.0, 140.0)),
        ("38.0561", None),
        ("北緯38度3分21秒 東経140度45分55秒", None),
        ("https://maps.example.com/?id=38.1", None),
        ("公民館", None),
        ("", None),
    ],
)
def test_a_position_is_read_as_people_copy_it(typed: str, point: tuple[float, float] | None) -> None:
    assert read_point(typed) == point
