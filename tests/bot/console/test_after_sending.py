"""Stopping, correcting and withdrawing a notice, as staff do it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from bot.service import Service
from content.clock import now_ms
from content.ledger.deliveries import batch, delivery
from content.notices import chains
from scheduler import notice_service
from tests.bot.console.test_progress import sent_notice
from tests.bot.web_visitor import Visitor
from tests.factories import make_notice


async def test_a_correction_is_prefilled_confirmed_and_stops_what_has_not_left(
    tanaka: Visitor, service: Service
) -> None:
    original = await sent_notice(service, accepted=10, batches=2)
    page = await tanaka.get(f"/console/notices/{original}")
    assert (
        page.text.index("配信を止める")
        < page.text.index("訂正を送る")
        < page.text.index("取り消しを知らせる")
    )
    form = await tanaka.get(f"/console/notices/{original}/correct")
    assert "乳幼児健診のお知らせ" in form.text and "20件" in form.text
    confirm = await tanaka.submit(
        form,
        f"/console/notices/{original}/correct",
        {"body.ja": "会場を、保健センターに改めます。受付の時間は変わりません。"},
    )
    assert confirm.status == 200 and "【訂正】" in confirm.text
    done = await tanaka.approve(confirm, "訂正配信")
    assert done.status == 200
    async with service.database.read() as connection:
        [correction] = await chains.corrections_of(connection, original)
    status = await notice_service.status(service.context, original)
    assert (status.state, status.accepted, status.open) == ("stopped", 10, 0)
    for one, other in ((original, correction), (correction, original)):
        assert f"第{other}号" in (await tanaka.get(f"/console/notices/{one}")).text


async def test_stopping_asks_once_and_says_how_many_have_it(tanaka: Visitor, service: Service) -> None:
    original = await sent_notice(service, accepted=10, batches=2)
    page = await tanaka.get(f"/console/notices/{original}/stop-sending")
    assert "20件のうち" in page.text and "10件に受け付けられました" in page.text
    stopped = await tanaka.submit(page, f"/console/notices/{original}/stop-sending", {})
    assert "配信を止めました" in stopped.text and "配信中止" in stopped.text
    again = await tanaka.submit(page, f"/console/notices/{original}/stop-sending", {})
    assert "止めるものは残っていません" in again.text


async def test_a_withdrawal_has_its_standard_words_and_only_those_who_have_it(
    tanaka: Visitor, service: Service
) -> None:
    original = await sent_notice(service, accepted=9, refused=1)
    form = await tanaka.get(f"/console/notices/{original}/withdraw")
    assert "誤って送ったものです" in form.text and "9件" in form.text
    confirm = await tanaka.submit(form, f"/console/notices/{original}/withdraw", {})
    assert "【取消】" in confirm.text
    draft = confirm.path.split("/")[-2]
    edit = await tanaka.get(f"/console/notices/{draft}/edit")
    assert edit.path == f"/console/notices/{draft}/words" and "取り消しを知らせる" in edit.text


async def test_a_draft_cannot_be_corrected_and_the_page_says_why(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        draft = await make_notice(connection, approved=False, at=now_ms())
    page = await tanaka.get(f"/console/notices/{draft}/correct")
    assert page.status == 409 and "まだ送っていません" in page.text


@pytest.mark.parametrize("path", ["stop-sending", "correct", "withdraw"])
async def test_who_may_only_see_does_none_of_it(kikaku: Visitor, service: Service, path: str) -> None:
    original = await sent_notice(service, accepted=10, batches=2)
    assert (await kikaku.get(f"/console/notices/{original}/{path}")).status == 403
    assert (await kikaku.post(f"/console/notices/{original}/{path}", [])).status == 403
    async with service.database.read() as connection:
        states = (await connection.scalars(delivery.select().with_only_columns(delivery.c.state))).all()
    assert states == ["planned"]


async def test_those_refused_for_a_passing_reason_are_sent_to_again(
    tanaka: Visitor, service: Service
) -> None:
    original = await sent_notice(service, accepted=10)
    page = await tanaka.get(f"/console/notices/{original}")
    assert "断られた分を送り直す" not in page.text
    async with service.database.write() as connection:
        await connection.execute(
            update(batch).values(accepted=4, refused=6, position=4, reason="server_busy")
        )
    page = await tanaka.get(f"/console/notices/{original}")
    again = await tanaka.submit(page, f"/console/notices/{original}/retry", {})
    assert "断られた分を送り直しています" in again.text and "残り6件" in again.text
    twice = await tanaka.submit(page, f"/console/notices/{original}/retry", {})
    assert twice.status == 409 and "送り直せる宛先はありません" in twice.text
