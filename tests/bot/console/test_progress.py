"""What became of a notice, as staff see it."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select, update

from bot.console.words import reason_words
from bot.service import Service
from content.clock import HOUR, MINUTE, SECOND, now_ms
from content.ledger import settling, suspensions
from content.ledger.batches import claim, record_part, requeue
from content.ledger.deferring import RefusedRecipient
from content.notices import notice_changes, notices, triggers
from content.notices.segments import Target
from tests.bot.web_visitor import Visitor
from tests.factories import jst, make_delivery, make_notice, make_subscribers, spec


async def sent_notice(service: Service, *, accepted: int, refused: int = 0, batches: int = 1) -> int:
    """An approved notice of batches of 10 by LINE, the first one settled; its id."""
    start = now_ms() - MINUTE
    async with service.database.write() as connection:
        ids = await make_subscribers(connection, service.keys, 10 * batches)
        notice_id = await make_notice(connection, category="saigai", at=start)
        slices = [ids[n : n + 10] for n in range(0, len(ids), 10)]
        await make_delivery(connection, slices, notice_id=notice_id, at=start)
        [claimed] = await connection.run_sync(
            claim, account="line", lane="routine", owner="t", now=now_ms(), lease=MINUTE
        )
        await connection.run_sync(
            record_part,
            claimed,
            since=0,
            position=10,
            accepted=accepted,
            refused=[RefusedRecipient(ids[n], "invalid_recipient") for n in range(refused)],
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


def test_a_reason_that_an_older_version_wrote_is_an_error_inside_the_system() -> None:
    assert reason_words("OperationalError")[0] == "システムの内部でエラーが起きました"


async def test_a_held_notice_is_released_by_a_person(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection)
        await triggers.hold(connection, notice_id, "予定の時刻を過ぎました。")
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
        notice_id, _ = await notice_changes.create(
            connection, replace(spec(), at=now_ms() + HOUR), submission_key="k", staff="tanaka", at=now_ms()
        )
        await notice_changes.approve(connection, notice_id, staff="tanaka", at=now_ms())
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert 'data-next="60000"' in page.html and "http-equiv" not in page.html
    action = f"/console/notices/{notice_id}/cancel"
    assert action in page.html
    page = await tanaka.get(action)
    assert "予約を取り消す" in page.text and "だれにも送られません" in page.text
    after = await tanaka.submit(page, action)
    assert "取り消しました" in after.text
    assert "tanaka:お知らせを取りやめた" in after.text
    assert (await tanaka.get(action)).path.endswith("?note=not-cancelled")
    fired = await sent_notice(service, accepted=10)
    after = await tanaka.post(f"/console/notices/{fired}/cancel", page.form(action))
    assert "取り消せませんでした" in after.text


async def test_a_stopped_channel_says_why(tanaka: Visitor, service: Service) -> None:
    notice_id = await sent_notice(service, accepted=10, batches=2)
    async with service.database.write() as connection:
        await connection.run_sync(settling.stop_delivery, 1, reason="quota", now=now_ms() + SECOND)
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "中止:LINEの今月の配信数の上限のため、送れませんでした" in page.text


async def test_a_channel_that_waits_says_for_what(tanaka: Visitor, service: Service) -> None:
    notice_id = await sent_notice(service, accepted=10, batches=2)
    async with service.database.write() as connection:
        [claimed] = await connection.run_sync(
            claim, account="line", lane="routine", owner="t", now=now_ms(), lease=MINUTE
        )
        await connection.run_sync(
            requeue, claimed, state="ready", reason="unreachable", not_before=now_ms() + HOUR, now=now_ms()
        )
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "再送待ち:相手のサーバーに接続できません" in page.text


async def test_a_delivery_without_its_account_says_so_and_a_person_may_give_up_the_rest(
    tanaka: Visitor, service: Service
) -> None:
    notice_id = await sent_notice(service, accepted=10, batches=2)
    async with service.database.write() as connection:
        await suspensions.suspend(connection, [1], at=jst(2026, 4, 7, 9, 30))
    page = await tanaka.get(f"/console/notices/{notice_id}")
    told = "LINEのアカウント「line」が町の設定にないため、2026年4月7日(火) 09:30 から止まっています。"
    assert told in page.text
    assert "停止中:アカウントが、町の設定からなくなりました" in page.text
    action = f"/console/notices/{notice_id}/give-up"
    after = await tanaka.submit(page, action)
    assert "残りの配信をやめました" in after.text
    assert "LINE 10件 職員が残りの配信をやめました" in after.text
    assert "一部不達" in after.text
    again = await tanaka.submit(page, action)
    assert "止まっている配信がなかったため" in again.text


async def test_who_may_only_look_sees_why_it_waits_but_no_button(kikaku: Visitor, service: Service) -> None:
    notice_id = await sent_notice(service, accepted=10, batches=2)
    async with service.database.write() as connection:
        await suspensions.suspend(connection, [1], at=now_ms())
    page = await kikaku.get(f"/console/notices/{notice_id}")
    assert "配信が止まっています" in page.text and "残りの配信をやめる」" not in page.text
    assert f"/console/notices/{notice_id}/give-up" not in page.html


async def test_a_notice_that_matched_nobody_says_so(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection)
        await make_delivery(connection, [], notice_id=notice_id)
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "宛先なし" in page.text
    assert "宛先に当てはまる登録がありませんでした。だれにも送っていません。" in page.text
    assert "progress.js" not in page.html


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


async def test_a_held_notice_whose_segment_is_gone_is_not_called_sent(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection, target=Target("segment", "gone"))
        await triggers.hold(connection, notice_id, "配信対象「gone」は町の設定にありません。")
    page = await tanaka.get(f"/console/notices/{notice_id}")
    after = await tanaka.submit(page, f"/console/notices/{notice_id}/release")
    assert "配信を始めました" not in after.text and "まだ配信していません" in after.text
    assert "配信対象「gone」は町の設定にありません" in after.text
    async with service.database.read() as connection:
        assert (await notices.get(connection, notice_id)).trigger_state == "held"


async def test_a_page_of_a_release_does_not_claim_later_what_is_not_so(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        notice_id = await make_notice(connection)
        await triggers.hold(connection, notice_id, "予定の時刻を過ぎました。")
    page = await tanaka.get(f"/console/notices/{notice_id}?note=released")
    assert "配信を始めました" not in page.text
