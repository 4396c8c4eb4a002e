"""Who has read a notice to a group: the figure on its page, the list by number, and the table."""

from __future__ import annotations

from bot.service import Service
from content.clock import now_ms
from content.ledger.read_receipts import say_read
from content.notices import notices
from content.notices.segments import Target
from content.register.memberships import add_member, remove_member
from content.register.states import Route
from content.register.subscribers import require
from tests.bot.web_visitor import Visitor
from tests.factories import make_delivery, make_notice, make_subscribers


async def sent(service: Service) -> tuple[int, list[int]]:
    """To three members, of whom the first has read it and the last is none any more."""
    async with service.database.write() as connection:
        ids = await make_subscribers(connection, service.keys, 3)
        for one in ids:
            await add_member(connection, "kucho", one, route=Route.COUNTER, at=now_ms())
        notice_id = await make_notice(connection, target=Target("group", "kucho"), at=now_ms())
        await make_delivery(connection, [ids], notice_id=notice_id, at=now_ms())
        found = await notices.get(connection, notice_id)
        assert found is not None
        await say_read(connection, found, await require(connection, ids[0]), route=Route.LINE, at=now_ms())
        await remove_member(connection, "kucho", ids[2], route=Route.COUNTER, at=now_ms())
    return notice_id, ids


async def test_the_page_leads_to_those_who_have_not_read_it(tanaka: Visitor, service: Service) -> None:
    notice_id, ids = await sent(service)
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "「読みました」 1件" in page.text and f"/console/notices/{notice_id}/reading" in page.html
    page = await tanaka.get(f"/console/notices/{notice_id}/reading")
    group, rest = page.html.split("今はグループに入っていない登録")[0], page.html.split('id="circle-2"')[1]
    assert "行政区長:まだ読んでいない 1件 / 2件" in page.text
    waiting, read = group.split("「読みました」と答えた登録")
    assert f">{ids[1]}</th>" in waiting and f">{ids[0]}</th>" not in waiting and f">{ids[0]}</th>" in read
    assert f">{ids[2]}</th>" in rest
    table = await tanaka.get(f"/console/notices/{notice_id}/reading.csv")
    assert table.html.splitlines()[1].startswith(f"行政区長,{ids[1]},,LINE,まだ送っていない")


async def test_the_form_keeps_what_was_chosen(tanaka: Visitor) -> None:
    page = await tanaka.write(asks_read="yes")
    assert "「読みました」のボタン 付きます" in page.text
    page = await tanaka.write(target="group", group="kucho")
    assert "「読みました」のボタン 付きます" in page.text
    page = await tanaka.write(target="group", group="kucho", asks_read="no")
    assert "「読みました」のボタン" not in page.text
