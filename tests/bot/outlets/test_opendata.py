"""Counts as open data: with code, unit, licence and symbols, the end of the last month, nothing of a few people."""

from __future__ import annotations

import csv
import io
import json

import pytest

from bot.outlets.opendata import last_month_end
from bot.service import Service
from content.clock import DAY, start_of_day, today_jst
from content.figures import snapshots
from content.figures.book import enter_events
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from tests.bot.web_visitor import Visitor
from tests.factories import line_id

DAY_SHOWN = last_month_end(today_jst())


async def registered(service: Service) -> None:
    """40 on LINE in 船岡, 3 by mail without a district who read English."""
    at = start_of_day(DAY_SHOWN) - DAY
    here = Preferences(frozenset({"saigai", "gomi"}), frozenset({"funaoka"}))
    there = Preferences(frozenset({"saigai"}), language="en")
    people = [Registration("line", "line", line_id(n), here, at) for n in range(40)]
    people += [Registration("mail", "mail", f"{n}@example.jp", there, at) for n in range(3)]
    async with service.database.write() as connection:
        await register_many(connection, service.keys, people, reason="follow")
    await enter_events(service.database)
    async with service.database.write() as connection:
        await snapshots.take(connection, DAY_SHOWN, at=start_of_day(DAY_SHOWN) + DAY)


async def test_small_cells_are_hidden_and_zero_missing_and_senseless_have_their_symbols(
    service: Service, stranger: Visitor
) -> None:
    empty = json.loads((await stranger.get("/opendata/subscribers.json")).html)
    assert {row["symbol"] for row in empty["registrations"]} == {"…", "・"}
    await registered(service)
    page = await stranger.get("/opendata/subscribers.csv")
    rows = list(csv.DictReader(io.StringIO(page.html.lstrip("\ufeff"))))
    told = {(row["区分"], row["キー"]): (row["登録数"], row["記号"]) for row in rows}
    assert told["全体", ""] == ("43", "")
    assert told["配信手段", "line"] == told["配信手段", "mail"] == ("", "x")
    assert told["配信手段", "webhook"] == ("0", "0")
    assert told["分野", "saigai"] == ("", "・")
    # All but three have chosen it, and nobody anything else.
    assert told["分野", "gomi"] == ("", "x") and told["分野", "event"] == ("0", "0")
    assert told["地区", ""] == told["地区", "funaoka"] == ("", "x")
    assert {row["全国地方公共団体コード"] for row in rows} == {service.town.code}
    assert {(row["単位"], row["時点"]) for row in rows} == {("件", DAY_SHOWN.isoformat())}
    assert page.headers["Cache-Control"] == "public, max-age=600"
    found = json.loads((await stranger.get("/opendata/subscribers.json")).html)
    as_rows = [
        ("" if row["registrations"] is None else str(row["registrations"])) for row in found["registrations"]
    ]
    assert as_rows == [row["登録数"] for row in rows]
    assert found["licence"] and found["symbols"]["x"]


@pytest.mark.parametrize("path", ["/opendata/subscribers.xml", "/opendata/", "/opendata/people.csv"])
async def test_nothing_else_is_open(stranger: Visitor, path: str) -> None:
    assert (await stranger.get(path)).status == 404
