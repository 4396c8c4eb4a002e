"""Whom a notice did not reach: by reason, by number, and by address for those with the right alone."""

from __future__ import annotations

import csv
import io

import pytest

from bot.refusals_csv import MARK, refusals_csv
from bot.service import Service
from content.clock import DAY, MINUTE, now_ms
from content.ledger import retention
from content.ledger.batches import claim, record_part, settle_rest
from content.ledger.deferring import RefusedRecipient
from content.ledger.states import Outcome
from content.staff import audit, member_changes, members
from content.staff.rights import OFFICE, Permission, Right
from tests.bot.web_visitor import Visitor
from tests.factories import make_delivery, make_notice, make_subscribers


async def refused_notice(
    service: Service, number: int = 3, *, at: int | None = None
) -> tuple[int, list[int]]:
    """By mail: so many unknown mailboxes of 60, the rest without an answer; the notice and the registrations."""
    start = at or now_ms() - MINUTE
    async with service.database.write() as connection:
        ids = await make_subscribers(connection, service.keys, 60, channel="mail")
        notice_id = await make_notice(connection, category="saigai", channels=("mail",), at=start)
        await make_delivery(connection, [ids], notice_id=notice_id, account="mail", at=start)
        [claimed] = await connection.run_sync(
            claim, account="mail", lane="routine", owner="t", now=now_ms(), lease=MINUTE
        )
        await connection.run_sync(
            record_part,
            claimed,
            since=0,
            position=number,
            accepted=0,
            refused=[RefusedRecipient(one, "mailbox_unknown") for one in ids[:number]],
            now=start,
            lease=MINUTE,
        )
        await connection.run_sync(
            settle_rest, claimed, outcome=Outcome.UNKNOWN, reason="no_answer", now=start
        )
    return notice_id, ids


async def give(service: Service, login: str, *permissions: Permission) -> None:
    async with service.database.write() as connection:
        member = await members.find(connection, login)
        assert member is not None
        await member_changes.set_rights(connection, member, [Right(item, OFFICE) for item in permissions])


def numbers(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix(MARK))))


async def test_the_notice_leads_to_the_registrations_of_a_reason(tanaka: Visitor, service: Service) -> None:
    notice_id, ids = await refused_notice(service)
    page = await tanaka.get(f"/console/notices/{notice_id}")
    link = f"/console/notices/{notice_id}/refusals?channel=mail&amp;reason=mailbox_unknown"
    assert link in page.html
    page = await tanaka.get(link.replace("&amp;", "&"))
    assert page.status == 200 and "存在しないメールアドレスです" in page.text
    assert all(f">{one}</th>" in page.html for one in ids[:3]) and f">{ids[3]}</th>" not in page.html
    assert "example.jp" not in page.html and "宛先を見る" not in page.text


async def test_many_come_page_by_page(tanaka: Visitor, service: Service) -> None:
    notice_id, ids = await refused_notice(service)
    own = f"/console/notices/{notice_id}/refusals?channel=mail&reason=no_answer"
    first = await tanaka.get(own)
    assert "つぎの50件" in first.text and f">{ids[52]}</th>" in first.html
    [after] = [part.split('"')[0] for part in first.html.split("after=")[1:]]
    second = await tanaka.get(f"{own}&after={after}")
    assert [f">{one}</th>" in second.html for one in ids[52:]] == [False] + [True] * 7
    assert "はじめに戻る" in second.text and "つぎの" not in second.text


@pytest.mark.parametrize("query", ["channel=mail&reason=%00", "channel=fax&reason=no_answer", "after=x"])
async def test_what_is_typed_into_the_address_finds_nothing_else(
    tanaka: Visitor, service: Service, query: str
) -> None:
    notice_id, _ = await refused_notice(service)
    page = await tanaka.get(f"/console/notices/{notice_id}/refusals?{query}")
    assert page.status == 200 and "理由を選ぶと" in page.text
    file = await tanaka.get(f"/console/notices/{notice_id}/refusals.csv?{query}")
    assert file.status == (200 if query == "after=x" else 404)


async def test_addresses_are_for_those_with_the_right_and_each_look_is_recorded(
    tanaka: Visitor, service: Service
) -> None:
    notice_id, ids = await refused_notice(service)
    await give(service, "tanaka", Permission.SEE, Permission.WRITE, Permission.OPEN_ADDRESS)
    page = await tanaka.get(f"/console/notices/{notice_id}/refusals?channel=mail&reason=mailbox_unknown")
    assert "example.jp" not in page.html
    shown = await tanaka.submit(page, f"/console/notices/{notice_id}/refusals/addresses")
    assert [f"r{n}@example.jp" in shown.html for n in (1, 2, 3, 4)] == [True, True, True, False]
    async with service.database.read() as connection:
        entries = await audit.entries(connection, f"notice {notice_id}", action="notice.addresses_shown")
    assert [(item.actor, item.detail["registrations"]) for item in entries] == [("tanaka", ids[:3])]
    assert "example.jp" not in str(entries)


async def test_the_right_to_addresses_alone_opens_no_list_and_its_loss_closes_them(
    tanaka: Visitor, service: Service
) -> None:
    notice_id, _ = await refused_notice(service)
    await give(service, "tanaka", Permission.SEE, Permission.WRITE, Permission.OPEN_ADDRESS)
    page = await tanaka.get(f"/console/notices/{notice_id}/refusals?channel=mail&reason=mailbox_unknown")
    await give(service, "tanaka", Permission.SEE, Permission.WRITE)
    refused = await tanaka.submit(page, f"/console/notices/{notice_id}/refusals/addresses")
    assert refused.status == 403
    await give(service, "tanaka", Permission.SEE)
    assert (await tanaka.get(f"/console/notices/{notice_id}/refusals")).status == 403


async def test_the_file_has_numbers_and_no_address(tanaka: Visitor, service: Service) -> None:
    notice_id, ids = await refused_notice(service)
    async with tanaka.client.get(f"/console/notices/{notice_id}/refusals.csv") as answer:
        body = await answer.text(encoding="utf-8")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="futatsu-{notice_id}.csv"'
    rows = numbers(body)
    assert body.startswith(MARK) and rows[0] == ["登録番号", "配信手段", "結果", "理由", "日時"]
    assert [row[0] for row in rows[1:]] == [str(one) for one in ids]
    assert [row[2:4] for row in rows[3:5]] == [
        ["不達", "存在しないメールアドレスです"],
        ["不明", "送ったあとの応答がありません"],
    ]
    parts = [part async for part in refusals_csv(service.database, notice_id, reason="mailbox_unknown")]
    assert len(numbers("".join(parts))) == 1 + 3


async def test_after_the_time_of_keeping_the_page_says_why_it_is_empty(
    tanaka: Visitor, service: Service
) -> None:
    notice_id, _ = await refused_notice(service, at=now_ms() - 100 * DAY)
    async with service.database.write() as connection:
        for one in await retention.deliveries_to_summarise(connection, before=now_ms() - 90 * DAY):
            assert await retention.summarise(connection, one, at=now_ms())
    page = await tanaka.get(f"/console/notices/{notice_id}/refusals")
    assert "90日たつと消えます" in page.text and "メール 57件" in page.text
    page = await tanaka.get(f"/console/notices/{notice_id}/refusals?channel=mail&reason=no_answer")
    assert page.status == 200 and "90日たつと消えます" in page.text and "<table" not in page.html


async def test_a_notice_that_reached_everybody_has_none(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection)
    page = await tanaka.get(f"/console/notices/{notice_id}/refusals")
    assert "不達も不明もありません" in page.text
    assert (await tanaka.get("/console/notices/999/refusals")).status == 404
