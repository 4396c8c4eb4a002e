"""What became of a notice, as staff see it."""

from __future__ import annotations

from dataclasses import replace

from factories import draft, make_delivery, make_notice, make_subscribers
from sqlalchemy import select, update
from web_visitor import Visitor

from bot.console.words import REASONS, reason_words
from bot.service import Service
from content import ledger, notices
from content.clock import HOUR, MINUTE, SECOND, now_ms
from content.ledger import Refused
from content.segments import Target


async def sent_notice(service: Service, *, accepted: int, refused: int = 0, batches: int = 1) -> int:
    """An approved notice of batches of 10 by LINE, the first one settled; its id."""
    start = now_ms() - MINUTE
    async with service.database.write() as connection:
        ids = await make_subscribers(connection, service.keys, 10 * batches)
        notice_id = await make_notice(connection, category="saigai", at=start)
        slices = [ids[n : n + 10] for n in range(0, len(ids), 10)]
        await make_delivery(connection, slices, notice_id=notice_id, at=start)
        claimed = await ledger.claim(
            connection, account="line", lane="routine", owner="t", now=now_ms(), lease=MINUTE
        )
        assert claimed is not None
        await ledger.record_part(
            connection,
            claimed,
            position=10,
            accepted=accepted,
            refused=[Refused(ids[n], "invalid_recipient") for n in range(refused)],
            now=start + 2500,
            lease=MINUTE,
        )
    return notice_id


async def test_a_finished_notice_shows_its_figures_and_stops_asking(
    tanaka: Visitor, service: Service
) -> None:
    notice_id = await sent_notice(service, accepted=10)
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "配信済み:宛先10件のうち受付10件、不達0件、不明0件です。" in page.text
    assert "2.5秒" in page.text
    assert "端末に届いた数、読んだ人の数ではありません" in page.text
    assert "progress.js" not in page.html and "http-equiv" not in page.html
    assert "承認 tanaka" in page.text


async def test_seconds_count_from_the_start_of_sending_not_from_the_approval(
    tanaka: Visitor, service: Service
) -> None:
    notice_id = await sent_notice(service, accepted=10)
    async with service.database.write() as connection:
        approved_at = await connection.scalar(select(notices.notice.c.approved_at))
        await connection.execute(update(notices.trigger).values(fired_at=approved_at))
        await connection.execute(update(notices.notice).values(approved_at=1))
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "2.5秒" in page.text
    assert "配信開始からの秒数です" in page.text


async def test_a_running_notice_asks_again_each_second_with_or_without_script(
    tanaka: Visitor, service: Service
) -> None:
    notice_id = await sent_notice(service, accepted=10, batches=2)
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "配信中:宛先20件のうち受付10件、残り10件" in page.text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page.html
    fragment = await tanaka.get(f"/console/notices/{notice_id}/progress")
    assert 'data-next="1000"' in fragment.html
    assert "<html" not in fragment.html


async def test_refusals_are_counted_with_their_reason_and_the_next_step(
    tanaka: Visitor, service: Service
) -> None:
    notice_id = await sent_notice(service, accepted=8, refused=2)
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "一部不達" in page.text
    assert "LINE 2件 LINEにない宛先です" in page.text
    assert "対応は不要です" in page.text


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    assert reason_words("http_418") == ("http_418", "このコードを管理者に伝えてください。")
    assert all(what and remedy.endswith("。") for what, remedy in REASONS.values())


async def test_a_held_notice_is_released_by_a_person(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection)
        await notices.hold(connection, notice_id, "予定の時刻を過ぎました。")
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "予定の時刻を過ぎました。" in page.text and "今から配信する" in page.text
    after = await tanaka.submit(page, f"/console/notices/{notice_id}/release")
    assert "配信を始めました" in after.text
    again = await tanaka.submit(page, f"/console/notices/{notice_id}/release")
    assert "保留ではなかったため" in again.text


async def test_a_scheduled_notice_is_cancelled_and_one_that_fired_is_not(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        notice_id, _ = await notices.create(
            connection, replace(draft(), at=now_ms() + HOUR), submission_key="k", staff="tanaka", at=now_ms()
        )
        await notices.approve(connection, notice_id, staff="tanaka", at=now_ms())
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert 'data-next="60000"' in page.html and "http-equiv" not in page.html
    action = f"/console/notices/{notice_id}/cancel"
    assert "取り消しました" in (await tanaka.submit(page, action)).text
    fired = await sent_notice(service, accepted=10)
    after = await tanaka.post(f"/console/notices/{fired}/cancel", page.form(action))
    assert "取り消せませんでした" in after.text


async def test_a_stopped_channel_says_why(tanaka: Visitor, service: Service) -> None:
    notice_id = await sent_notice(service, accepted=10, batches=2)
    async with service.database.write() as connection:
        await ledger.stop_delivery(connection, 1, reason="quota", now=now_ms() + SECOND)
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "中止:LINEの今月の配信数の上限に達しました" in page.text


async def test_a_channel_that_waits_says_for_what(tanaka: Visitor, service: Service) -> None:
    notice_id = await sent_notice(service, accepted=10, batches=2)
    async with service.database.write() as connection:
        claimed = await ledger.claim(
            connection, account="line", lane="routine", owner="t", now=now_ms(), lease=MINUTE
        )
        assert claimed is not None
        await ledger.give_back(
            connection, claimed, state="ready", reason="unreachable", not_before=now_ms() + HOUR
        )
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "再送待ち:相手のサーバーに接続できません" in page.text


async def test_the_list_names_the_state_of_each_notice_and_pages_on(
    tanaka: Visitor, service: Service
) -> None:
    empty = await tanaka.get("/console/")
    assert "まだお知らせはありません" in empty.text
    await sent_notice(service, accepted=8, refused=2)
    async with service.database.write() as connection:
        for _ in range(31):
            await make_notice(connection, approved=False)
    home = await tanaka.get("/console/")
    assert "下書き" in home.text
    first = await tanaka.get("/console/notices")
    older = await tanaka.get("/console/notices?before=3")
    assert "/console/notices?before=3" in first.html
    assert "一部不達" in older.text and "一部不達" not in first.text


async def test_a_notice_that_does_not_exist_is_a_page_in_two_languages(tanaka: Visitor) -> None:
    for path in ("/console/notices/99", "/console/notices/99/confirm", "/console/notices/99/progress"):
        page = await tanaka.get(path)
        assert page.status == 404
        assert "ページが見つかりません" in page.text and "does not exist" in page.text


async def test_a_segment_that_left_the_settings_does_not_hide_the_notice(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection, target=Target("segment", "gone"), category="gone")
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert page.status == 200
    assert "配信対象「gone」" in page.text
