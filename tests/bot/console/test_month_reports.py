"""The months of a year before the assembly: the same figures wherever they are asked for, and no figure where nobody looked."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from openpyxl import load_workbook
from typer.testing import Result

from bot.belonging import bind
from bot.outlets.opendata import last_month_end
from bot.service import Service
from content.clock import DAY, JST, fiscal_year, from_datetime, start_of_day, today_jst
from content.database import Database
from content.figures import observed, snapshots, year_ends
from content.figures.book import enter_events
from content.figures.counts import DEFINITION
from content.keys import Keys, load_keys
from content.register import subscriber_changes
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from content.town import Town
from tests.bot.web_visitor import Page, Visitor
from tests.factories import line_id

YEAR = fiscal_year(today_jst()) - 1
APRIL = date(YEAR, 4, 1)
PAGE = f"/console/reports/months?year={YEAR}"
OTHERS = "/console/reports/other-figures"
CHOSEN = Preferences(frozenset({"saigai", "gomi"}), frozenset({"funaoka"}))
NOWHERE = Preferences(frozenset({"saigai"}), language="en")


async def play(database: Database, keys: Keys) -> None:
    """The service runs from 10 April on, but not in June. 30 are taken in from before; in May three come, one goes and
    comes back; in July one is erased."""
    async with database.write() as connection:
        day = date(YEAR, 4, 10)
        while day < today_jst():
            if day.month != 6 or day.year != YEAR:
                await observed.note_running(connection, start_of_day(day) + DAY // 2)
            day += timedelta(days=1)
        old = [Registration("line", "line", line_id(n), CHOSEN, start_of_day(APRIL) - DAY) for n in range(30)]
        await register_many(connection, keys, old, reason="import")
        new = [Registration("line", "line", line_id(100 + n), NOWHERE, noon(5, 3)) for n in range(3)]
        ids = await register_many(connection, keys, new, reason="follow")
        await subscriber_changes.leave(connection, ids[0], reason="blocked", at=noon(5, 4))
        await subscriber_changes.come_back(connection, ids[0], reason="undone", at=noon(5, 5))
        await subscriber_changes.erase(connection, ids[1], reason="erased", at=noon(7, 7))


def noon(month: int, day: int) -> int:
    return from_datetime(datetime(YEAR, month, day, 12, tzinfo=JST))


@pytest_asyncio.fixture
async def played(service: Service) -> None:
    await play(service.database, service.keys)


def by_month(rows: list[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {row["month"][5:]: row for row in rows if row["name"] == name}


async def test_console_command_line_json_csv_excel_and_open_data_say_the_same(
    command_line: Callable[..., Result], kikaku: Visitor, service: Service, tmp_path: Path, town: Town
) -> None:
    other = Database(f"sqlite:///{tmp_path / 'town.db'}")
    await play(other, await bind(other, town, load_keys(tmp_path / "secret.key")))
    await other.close()
    await play(service.database, service.keys)
    for by in ("total", "area", "reason", "category"):
        page = f"{PAGE}&by={by}"
        rows = json.loads((await kikaku.get(f"{page}&format=json")).html)["months"]
        assert rows
        asked = ("report", "months", "--fiscal-year", str(YEAR), "--by", by)
        told = await asyncio.to_thread(command_line, *asked, "--json")
        assert json.loads(told.stdout)["months"] == rows
        for text in (
            (await asyncio.to_thread(command_line, *asked, "--csv")).stdout,
            await body(kikaku, f"{page}&format=csv"),
        ):
            found = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))[1:]
            assert [row[5:13] for row in found] == [
                ["" if value is None else str(value) for value in list(row.values())[5:13]] for row in rows
            ]
            assert {row[-1] for row in found} == {DEFINITION}
        async with kikaku.client.get(f"{page}&format=xlsx") as answer:
            book = load_workbook(io.BytesIO(await answer.read()))
        cells = [[cell.value for cell in row] for row in book["数"].iter_rows(min_row=2)]
        assert [row[5:13] for row in cells] == [
            [None if value == "" else value for value in list(row.values())[5:13]] for row in rows
        ]
        assert ["団体コード", town.code] in [[cell.value for cell in row] for row in book["説明"].iter_rows()]
    shown = (await kikaku.get(PAGE)).text
    assert f"{YEAR}年5月 33 3 1 1 3" in shown
    await open_data_says_the_same(kikaku, service)


async def open_data_says_the_same(kikaku: Visitor, service: Service) -> None:
    """As the console of the end of the last month: every figure, in CSV and JSON. 12 more make none of them small."""
    day = last_month_end(today_jst())
    more = [
        Registration("mail", "mail", f"{n}@example.jp", NOWHERE, start_of_day(day) - DAY) for n in range(12)
    ]
    async with service.database.write() as connection:
        await register_many(connection, service.keys, more, reason="confirmed")
    await enter_events(service.database)
    async with service.database.write() as connection:
        await snapshots.take(connection, day, at=start_of_day(day) + DAY)
    published = json.loads((await kikaku.get("/opendata/subscribers.json")).html)["registrations"]
    rows = list(
        csv.DictReader(io.StringIO((await body(kikaku, "/opendata/subscribers.csv")).lstrip("\ufeff")))
    )
    assert [(row["区分"], row["キー"], row["登録数"], row["記号"]) for row in rows] == [
        (row["measure"], row["key"], _text(row["registrations"]), row["symbol"]) for row in published
    ]
    open_figures = {
        (row["measure"], row["key"]): row["registrations"]
        for row in published
        if row["registrations"] is not None
    }
    asked = f"/console/reports/months?year={fiscal_year(day)}&format=json"
    ours: Counter[tuple[str, str]] = Counter()
    for by, word in (("total", "配信手段"), ("category", "分野"), ("area", "地区"), ("language", "ことば")):
        for row in json.loads((await kikaku.get(f"{asked}&by={by}")).html)["months"]:
            if row["date"] == day.isoformat():
                key = row["channel"] if by == "total" else row["key"]
                ours[word, key] += row["active"]
                ours["全体", ""] += row["active"] if by == "total" else 0
    assert {key: ours[key] for key in open_figures} == open_figures
    assert ours["全体", ""] == open_figures["全体", ""] == 44
    known = {("配信手段", "line"), ("分野", "gomi"), ("地区", "funaoka"), ("地区", ""), ("ことば", "en")}
    assert known <= set(open_figures)


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


async def fill(visitor: Visitor, path: str, action: str, fields: dict[str, str]) -> Page:
    """As somebody does who opens the page and fills in its form."""
    return await visitor.submit(await visitor.get(path), action, fields)


async def body(visitor: Visitor, path: str) -> str:
    async with visitor.client.get(path) as answer:
        return (await answer.read()).decode()


@pytest.mark.usefixtures("played")
async def test_what_nobody_looked_at_is_no_zero(kikaku: Visitor) -> None:
    rows = json.loads((await kikaku.get(f"{PAGE}&format=json")).html)["months"]
    months = by_month([row for row in rows if row["channel"] == "line"], "全体")
    figures = {
        month: tuple(row[name] for name in ("active", "joined", "returned", "left"))
        for month, row in months.items()
    }
    assert figures["04"] == (30, 0, 0, 0)
    assert figures["05"] == (33, 3, 1, 1)
    assert figures["06"] == (None, None, None, None)
    assert figures["07"] == (32, 0, 0, 1)
    assert "観測なし30日" in months["06"]["note"]
    page = await kikaku.get(PAGE)
    assert re.search(rf"{YEAR}年6月\s*観測なし30日 (… ?分からない\s*){{5}}", page.text)
    before = json.loads((await kikaku.get(f"/console/reports/months?year={YEAR - 1}&format=json")).html)
    (march,) = [row for row in before["months"] if row["month"] == f"{YEAR}-03"]
    assert (march["active"], march["joined"], march["left"]) == (30, 30, None)
    assert "いまも有効な登録だけ" in march["note"]
    assert [
        row for row in before["months"] if row["month"] < f"{YEAR}-03" and row["active"] is not None
    ] == []


@pytest.mark.usefixtures("played")
async def test_gross_and_distinct_shares_and_those_who_named_no_area(
    kikaku: Visitor, suzuki: Visitor
) -> None:
    entered = {"series": "population", "day": f"{YEAR}-04-01", "value": "3,200", "source": "住民基本台帳"}
    assert (await fill(suzuki, OTHERS, OTHERS, entered)).status == 200
    found = json.loads((await kikaku.get(f"{PAGE}&format=json")).html)
    assert found["turnover"] == [
        {
            "channel": "line",
            "registrations_gross": 4,
            "joined": 3,
            "returned": 1,
            "left": 2,
            "distinct": 3,
        }
    ]
    (share,) = found["shares"]
    assert (share["of"], share["percent"], share["source"]) == ("人口", 1.0, "住民基本台帳")
    areas = json.loads((await kikaku.get(f"{PAGE}&by=area&format=json")).html)["months"]
    assert by_month(areas, "未選択")["07"]["active"] == 2
    assert by_month(areas, "船岡")["07"]["active"] == 30
    assert "選ばなくても、有効な登録すべてに届く分野" in (await kikaku.get(f"{PAGE}&by=category")).text


@pytest.mark.usefixtures("played")
async def test_a_frozen_year_keeps_its_figures_and_takes_remarks(
    service: Service, suzuki: Visitor, kikaku: Visitor
) -> None:
    await enter_events(service.database)
    async with service.database.write() as connection:
        await snapshots.take(connection, date(YEAR + 1, 3, 31), at=start_of_day(date(YEAR + 1, 4, 1)))
        frozen = await year_ends.freeze(
            connection, today=today_jst(), at=start_of_day(date(YEAR + 1, 4, 1)), definition=DEFINITION
        )
        assert frozen == [YEAR]
        late = [Registration("line", "line", line_id(500), CHOSEN, start_of_day(date(YEAR, 8, 1)))]
        await register_many(connection, service.keys, late, reason="import")
        assert await year_ends.freeze(connection, today=today_jst(), at=0, definition="") == []
    assert "LINE 32 33" in (await kikaku.get(PAGE)).text
    remark = {"year": str(YEAR), "text": "8月の1件は、あとから取り込みました。"}
    for _ in range(2):
        page = await fill(suzuki, PAGE, "/console/reports/months", remark)
    assert page.text.count("あとから取り込みました") == 1 and "suzuki" in page.text
    indicator = f"/console/reports/indicators/line_registrations?year={YEAR}"
    told = json.loads((await kikaku.get(f"{indicator}&format=json")).html)["years"][0]
    assert (told["actual"], told["counted_now"], told["date"]) == (32, 33, f"{YEAR + 1}-03-31")
    assert [item["text"] for item in told["frozen"]["remarks"]] == ["8月の1件は、あとから取り込みました。"]
    shown = (await kikaku.get(indicator)).text
    assert "確定" in shown and "いま数え直すと 33件です" in shown and "あとから取り込みました" in shown
    refused = await fill(suzuki, PAGE, "/console/reports/months", remark | {"text": "あ" * 5000})
    assert refused.status == 422 and "いま5,000文字" in refused.text
    assert (await kikaku.get(PAGE)).html.count("<textarea") == 0


async def test_figures_by_hand_name_what_is_wrong_and_keep_what_was_typed(suzuki: Visitor) -> None:
    typed = {"series": "new", "name": "", "unit": "人", "day": "2999-01-01", "value": "約2300", "source": ""}
    page = await fill(suzuki, OTHERS, OTHERS, typed)
    assert page.status == 422 and 'value="約2300"' in page.html
    for words in ("新しい系列の名前", "今日より後の日付", "数だけを入れてください", "出典を"):
        assert words in page.text
    good = typed | {
        "name": "Facebook フォロワー",
        "day": "2026-03-31",
        "value": "2,300",
        "source": "町のページ",
    }
    for value in ("2,300", "2,300", "2310"):
        page = await fill(suzuki, OTHERS, OTHERS, good | {"value": value})
    assert page.text.count("町のページ") == 2
    assert "2,310" in page.text and "<s>2,300</s>" in page.html


@pytest.mark.parametrize("year", ["26", "abc", "2999", ""])
async def test_a_year_that_is_none_is_this_one(kikaku: Visitor, year: str) -> None:
    page = await kikaku.get(f"/console/reports/months?year={year}&by=nothing")
    assert page.status == 200 and f"{YEAR + 1}年度の月別の登録数" in page.text
    assert "この年度の登録の記録はありません" in page.text
