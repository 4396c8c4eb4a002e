"""Notices of a fiscal year: counted once each, the same before and after their lists go, on the screen and as files."""

from __future__ import annotations

import csv
import io
import json

import pytest

from bot.sent_report import sent_report
from bot.service import Service
from bot.spreadsheet import EXCEL
from content.clock import fiscal_year, now_ms, today_jst
from content.ledger import retention
from content.staff import rights
from tests.bot.web_visitor import Visitor
from tests.content.played import claim, record, refuse
from tests.factories import make_delivery, make_notice, make_subscribers

THIS_YEAR = fiscal_year(today_jst())


@pytest.fixture
async def deliveries(service: Service) -> list[int]:
    """An urgent notice to five, of whom one is refused, through after 7 s; a drill; one of last year. Their deliveries."""
    now = now_ms()
    async with service.database.write() as connection:
        await rights.add_department(connection, "bosai-ka", "防災課", frozenset({"saigai"}), at=now)
        ids = await make_subscribers(connection, service.keys, 5)
        made = []
        for mode, at in (("live", now), ("drill", now), ("live", now - 400 * 86_400_000)):
            number = await make_notice(connection, category="saigai", urgency="urgent", mode=mode, at=at)
            made.append(await make_delivery(connection, [ids], notice_id=number, lane="urgent", at=at))
        claimed = await claim(connection, now + 1_000, lane="urgent")
        assert await record(connection, claimed, 5, 4, refuse(claimed.recipients[1:2]), now=now + 7_000)
    return made


async def test_every_notice_counts_once_with_what_became_of_it_and_how_fast(
    service: Service, deliveries: list[int]
) -> None:
    report = await sent_report(service, THIS_YEAR)
    whole = report.whole
    assert (whole.notices, whole.urgent, whole.planned, whole.accepted, whole.refused) == (1, 1, 5, 4, 1)
    assert (whole.unknown, whole.open, whole.median_seconds, whole.longest_seconds) == (0, 0, 7.0, 7.0)
    assert [(row.measure, row.name) for row in report.rows] == [
        ("channel", "LINE"),
        ("category", "災害・避難"),
        ("department", "防災課"),
    ]
    async with service.database.write() as connection:
        assert await retention.summarise(connection, deliveries[0], at=now_ms())
    later = await sent_report(service, THIS_YEAR)
    assert later.whole == whole and later.rows == report.rows


@pytest.mark.usefixtures("deliveries")
async def test_page_and_files_say_the_same(kikaku: Visitor) -> None:
    page = await kikaku.get("/console/reports/notices")
    assert (
        "1件のお知らせを、延べ5の宛先へ送り、4が受け付けられました" in page.text and "最長7.0秒" in page.text
    )
    assert "防災課 1 0 5 4 1 0 0 1 7.0秒 7.0秒" in page.text
    told = json.loads((await kikaku.get("/console/reports/notices?format=json")).html)
    text = (await kikaku.get("/console/reports/notices?format=csv")).html
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [int(row["受付"]) for row in rows] == [row["accepted"] for row in told["rows"]] == [4] * 4
    assert rows[0]["団体コード"] == "043231" and "訓練" in rows[0]["定義"]
    async with kikaku.client.get("/console/reports/notices?format=xlsx") as answer:
        assert (await answer.read()).startswith(b"PK") and answer.content_type == EXCEL


async def test_a_year_without_a_notice_says_so_and_a_wrong_year_is_this_one(kikaku: Visitor) -> None:
    assert "ありません" in (await kikaku.get(f"/console/reports/notices?year={THIS_YEAR - 3}")).text
    assert f"{THIS_YEAR}年度に送った" in (await kikaku.get("/console/reports/notices?year=26")).text
