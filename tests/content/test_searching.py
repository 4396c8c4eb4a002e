"""Notices are found by what staff remember of them."""

from __future__ import annotations

from typing import Any

import pytest

from content.clock import DAY
from content.database import Database
from content.notices import notices, searching, triggers
from content.notices.searching import Phase, Wanted
from tests.factories import APRIL_TUESDAY, make_notice


async def found(database: Database, **wanted: Any) -> list[int]:
    async with database.read() as connection:
        asked = Wanted(**wanted)
        items = await searching.search(connection, asked, limit=50)
        assert await searching.count(connection, asked) == len(items)
    return [item.id for item in items]


@pytest.mark.parametrize(
    "words", ["ＬＩＮＥ登録", "line", "ガイド", "ガイド", "ガイド 案内", "100%", "案内　LINE"]
)
async def test_words_are_found_whatever_their_width_and_order(database: Database, words: str) -> None:
    async with database.write() as connection:
        wanted = await make_notice(connection, texts={"ja": ("LINE登録ガイド", "ご案内です。100%")})
        await make_notice(connection, texts={"ja": ("ごみの日", "1000個")})
    assert await found(database, words=words) == [wanted]


async def test_words_of_every_language_are_found_and_those_of_an_older_version_are_not(
    database: Database,
) -> None:
    async with database.write() as connection:
        wanted = await make_notice(connection, texts={"ja": ("断水", "x"), "en": ("Water outage", "y")})
    assert await found(database, words="WATER") == [wanted]
    assert await found(database, words="wat%er") == []


async def test_each_filter_narrows_and_together_they_narrow_more(database: Database) -> None:
    async with database.write() as connection:
        draft = await make_notice(connection, approved=False, staff="tanaka")
        later = await make_notice(connection, at=APRIL_TUESDAY, staff="suzuki", category="saigai")
        held = await make_notice(connection, staff="suzuki", mode="drill")
        await triggers.hold(connection, held, "遅れ")
        sent = await make_notice(connection, staff="tanaka")
        await triggers.fire(connection, sent, APRIL_TUESDAY + 3 * DAY)
    assert await found(database, phase=Phase.DRAFT) == [draft]
    assert await found(database, phase=Phase.SCHEDULED) == [later]
    assert await found(database, phase=Phase.HELD) == [held]
    assert await found(database, phase=Phase.SENT) == [sent]
    assert await found(database, phase="nonsense") == []
    assert await found(database, author="suzuki") == [held, later]
    assert await found(database, author="suzuki", category="saigai") == [later]
    assert await found(database, mode="drill") == [held]
    assert await found(database, since=APRIL_TUESDAY + DAY) == [sent]
    assert await found(database, before=APRIL_TUESDAY + DAY) == [held, later, draft]


async def test_pages_go_on_where_the_last_one_ended(database: Database) -> None:
    async with database.write() as connection:
        ids = [await make_notice(connection) for _ in range(5)]
    async with database.read() as connection:
        first = await searching.search(connection, Wanted(), limit=3)
        rest = await searching.search(connection, Wanted(), limit=3, older_than=first[-1].id)
    assert [item.id for item in first + rest] == ids[::-1]


async def test_what_is_revised_is_found_by_its_new_words(database: Database) -> None:
    from content.notices import notice_changes
    from tests.factories import spec

    async with database.write() as connection:
        number = await make_notice(connection, approved=False, texts={"ja": ("古い", "x")})
        await notice_changes.revise(
            connection, number, spec(texts={"ja": ("新しい", "y")}), staff="tanaka", at=APRIL_TUESDAY
        )
        assert await notices.get(connection, number)
    assert await found(database, words="古い") == []
    assert await found(database, words="新しい") == [number]
