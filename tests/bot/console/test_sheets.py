"""The evaluation sheet on the screen: read, written by two officers, confirmed, published, taken as a file."""

from __future__ import annotations

import json

import pytest_asyncio

from bot.service import Service
from content.notices.records import RecordKind, find_record
from content.plans.sheets import SheetState
from content.staff import audit
from tests.bot.sheets_story import bring
from tests.bot.web_visitor import Visitor

OWN = "/console/sheets/shibata-5/2022"
OPEN_DATA = f"{OWN}/shibata-5-1-5"
GRADED = "/console/sheets/toride-3/2017"


@pytest_asyncio.fixture(autouse=True)
async def plans(service: Service) -> None:
    await bring(service, "shibata")


async def stored(service: Service, key: str = "shibata-5-2022"):
    async with service.database.read() as connection:
        found = await find_record(connection, RecordKind.SHEET, key)
    assert found is not None
    return found.content


async def test_the_sheet_shows_the_plan_as_it_is_printed(kikaku: Visitor) -> None:
    page = await kikaku.get(OWN)
    assert page.status == 200
    for words in (
        "第5次柴田町情報化計画 評価表(2022年度)",
        "約62.2%",
        "約84.4%",
        "AAに一部準拠",
        "未達成",
        "下書き",
    ):
        assert words in page.text
    assert "この施策の文と評価を書く" not in page.text and "評価表の状態" not in page.text
    assert (await kikaku.get("/console/sheets/shibata-5/26")).status == 404
    assert (await kikaku.get("/console/sheets/shibata-5/2030")).status == 404
    listed = await kikaku.get("/console/plans/shibata-5")
    assert "2022年度の評価表" in listed.text and "約2,800" in listed.text


async def test_two_officers_write_different_policies_of_one_sheet(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    other = f"{OWN}/shibata-5-1-6"
    mine, theirs = await tanaka.get(OPEN_DATA), await suzuki.get(other)
    assert (await tanaka.submit(mine, OPEN_DATA, {"done": "11種類を公開した。"})).path == OWN
    assert (await suzuki.submit(theirs, other, {"done": "AAに一部準拠。"})).path == OWN
    entries = (await stored(service)).entries
    assert (entries["shibata-5-1-5"].written_by, entries["shibata-5-1-6"].written_by) == ("tanaka", "suzuki")
    assert entries["shibata-5-1-1"].done  # what was there stays


async def test_the_second_officer_at_one_policy_is_told_and_loses_nothing(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    mine, theirs = await tanaka.get(OPEN_DATA), await suzuki.get(OPEN_DATA)
    await tanaka.submit(mine, OPEN_DATA, {"done": "田中の文"})
    told = await suzuki.submit(theirs, OPEN_DATA, {"done": "鈴木の文"})
    assert told.status == 409
    assert "ほかの人が先に変えました" in told.text and "田中の文" in told.text and "鈴木の文" in told.text
    assert (await stored(service)).entries["shibata-5-1-5"].done == "田中の文"
    # She has seen it now: what she saves takes its place.
    saved = await suzuki.submit(told, OPEN_DATA, {"done": "田中の文。鈴木の文"})
    assert saved.path == OWN and (await stored(service)).entries["shibata-5-1-5"].written_by == "suzuki"


async def test_a_form_that_is_sent_twice_writes_once(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(OPEN_DATA)
    await tanaka.submit(page, OPEN_DATA, {"done": "一度だけ"})
    again = await tanaka.submit(page, OPEN_DATA, {"done": "一度だけ"})
    assert again.path == OWN
    async with service.database.read() as connection:
        acts = await audit.entries(connection, action="sheet.changed")
    assert len(acts) == 1 and acts[0].actor == "tanaka"


async def test_words_that_are_too_long_are_kept_on_the_page(tanaka: Visitor, service: Service) -> None:
    long = "長" * 5_000
    refused = await tanaka.submit(await tanaka.get(OPEN_DATA), OPEN_DATA, {"issues": long})
    assert refused.status == 422
    assert "今後の取組や課題: 4000文字までにしてください" in refused.text and long in refused.text
    assert "shibata-5-1-5" not in (await stored(service)).entries


async def test_a_confirmed_sheet_names_who_confirmed_it_and_is_written_in_no_more(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    draft, hers, late = await tanaka.get(OWN), await suzuki.get(OWN), await suzuki.get(OPEN_DATA)
    confirmed = await tanaka.submit(draft, OWN, {"state": "confirmed"})
    assert "確認済み(" in confirmed.text and "tanaka が確認" in confirmed.text
    refused = await suzuki.submit(late, OPEN_DATA, {"done": "遅れて来た文"})
    assert refused.status == 409 and "下書きに戻す" in refused.text and "遅れて来た文" in refused.text
    # The other one still looks at the draft: she is told, and nothing moves twice.
    stale = await suzuki.submit(hers, OWN, {"state": "published"})
    assert stale.status == 409 and "ほかの人が先に変えました" in stale.text
    assert (await stored(service)).state == SheetState.CONFIRMED
    published = await tanaka.submit(confirmed, OWN, {"state": "published"})
    assert "公表済み" in published.text and (await stored(service)).state == SheetState.PUBLISHED
    told = json.loads((await tanaka.get(f"{OWN}?format=json")).text)
    assert (told["state"], told["confirmed_by"]) == ("published", "tanaka")


async def test_a_grade_is_chosen_from_the_scale_of_the_town(tanaka: Visitor, service: Service) -> None:
    await bring(service, "toride")
    path = f"{GRADED}/toride-3-44"
    page = await tanaka.get(path)
    assert "遅れていて、終えることも考える" in page.text
    await tanaka.submit(page, path, {"grade.overall": "調整", "remark": "秋に見直した"})
    entry = (await stored(service, "toride-3-2017")).entries["toride-3-44"]
    assert (entry.grades["overall"], entry.remark) == ("調整", "秋に見直した")
    invented = await tanaka.submit(await tanaka.get(path), path, {"grade.overall": "天才"})
    assert invented.path == GRADED
    assert "overall" not in (await stored(service, "toride-3-2017")).entries["toride-3-44"].grades


async def test_the_files_of_a_sheet_come_with_their_kind(tanaka: Visitor) -> None:
    kinds = {"csv": "text/csv", "json": "application/json", "xlsx": "application/vnd.openxmlformats"}
    for ending, kind in kinds.items():
        async with tanaka.client.get(f"{OWN}?format={ending}") as answer:
            assert answer.status == 200 and answer.headers["Content-Type"].startswith(kind)
            assert f'.{ending}"' in answer.headers["Content-Disposition"]
