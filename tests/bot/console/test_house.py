"""The pages around a notice: home, list, calendar, groups, accounts, settings, and the switch that holds everything."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from bot.app import create_app
from bot.service import Service
from content.clock import DAY, HOUR, now_ms, to_jst, today_jst
from content.ledger import account_health, account_outages
from content.notices import maintenance, notices, triggers
from content.notices.recurrence import RecurrenceRule, read_closure
from content.staff import audit, member_changes, passwords
from scheduler import notice_service
from scheduler.triggers import fire_due
from tests.bot.console.test_progress import sent_notice
from tests.bot.web_visitor import PASSWORD, Visitor
from tests.factories import make_delivery, make_notice, make_subscriber, make_subscribers, spec


@pytest_asyncio.fixture
async def admin(service: Service) -> AsyncIterator[Visitor]:
    async with service.database.write() as connection:
        await member_changes.add(
            connection,
            login="admin",
            password_hash=await passwords.new_hash(PASSWORD, "admin"),
            role="administrator",
            at=now_ms(),
        )
    async with TestClient(TestServer(create_app(service))) as client:
        visitor = Visitor(client)
        await visitor.enter(service, "admin")
        yield visitor


async def test_home_shows_today_what_waits_and_what_comes(tanaka: Visitor, service: Service) -> None:
    now = now_ms()
    async with service.database.write() as connection:
        held = await make_notice(connection, texts={"ja": ("とまったもの", "x")})
        await triggers.hold(connection, held, "遅れ")
        await make_notice(connection, approved=False, texts={"ja": ("書きかけ", "x")})
        await make_notice(connection, at=now, texts={"ja": ("今日のもの", "x")})
        series = spec(
            rule=RecurrenceRule("weekly", to_jst(now).time(), weekdays=tuple(range(7))),
            texts={"ja": ("毎日のもの", "x")},
        )
        await make_notice(connection, at=now, rule=series.rule, texts=series.texts)
    page = await tanaka.get("/console/")
    assert re.search(r"判断や続きを待っているもの .*とまったもの.* 自分の下書き 書きかけ", page.text)
    assert "今日のもの" in page.text and "これからの予定" in page.text and "毎日のもの" in page.text


async def test_home_of_an_empty_town_says_so(kikaku: Visitor) -> None:
    page = await kikaku.get("/console/")
    assert "待っているものはありません" in page.text
    assert "今日送ったお知らせも、今日の予定もありません" in page.text


async def test_staff_find_a_notice_by_words_and_narrow_the_list(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        await make_notice(connection, texts={"ja": ("ＡＢＣ公園の断水", "x")}, staff="suzuki")
        await make_notice(connection, texts={"ja": ("ごみの日", "x")})
    page = await tanaka.get("/console/notices?words=abc")
    assert "1件 見つかりました" in page.text and "ごみの日" not in page.text
    page = await tanaka.get("/console/notices?author=suzuki&words=ごみ")
    assert "条件に合うお知らせはありません" in page.text
    wrong = await tanaka.get("/console/notices?from=きのう")
    assert wrong.status == 422 and "日付を読み取れません" in wrong.text


async def test_the_list_goes_on_with_what_was_asked_for(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        for number in range(35):
            await make_notice(connection, texts={"ja": (f"断水{number:02d}", "x")})
    page = await tanaka.get("/console/notices?words=断水")
    assert "断水34" in page.text and "断水04" not in page.text
    older = re.search(r'href="(/console/notices\?[^"]*before=\d+)"', page.html)
    assert older is not None
    page = await tanaka.get(older[1].replace("&amp;", "&"))
    assert "断水04" in page.text and "35件 見つかりました" in page.text


async def test_the_calendar_shows_occurrences_and_closures(tanaka: Visitor, service: Service) -> None:
    day = today_jst() + timedelta(days=1)
    rule = RecurrenceRule(
        "weekly",
        to_jst(now_ms()).time(),
        weekdays=tuple(range(7)),
        closures=(read_closure(f"{day.month}/{day.day}"),),
    )
    async with service.database.write() as connection:
        await make_notice(connection, at=now_ms(), rule=rule, texts={"ja": ("毎日のもの", "x")})
    page = await tanaka.get(f"/console/calendar?month={day:%Y-%m}")
    assert "休み" in page.text and "毎日のもの" in page.text
    assert (await tanaka.get("/console/calendar?month=nonsense")).status == 200
    assert "予定もありません" in (await tanaka.get("/console/calendar?month=2001-01")).text


async def test_groups_count_their_members(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, groups={"kucho"})
    page = await tanaka.get("/console/groups")
    assert "行政区長 会員を確かめてください(この1年、確かめた記録がありません) 1件 LINE 1件" in page.text
    assert "だれも入っていません" in page.text


async def test_accounts_say_why_they_do_not_send_and_how_much_is_left(
    tanaka: Visitor, service: Service
) -> None:
    await sent_notice(service, accepted=10)
    async with service.database.write() as connection:
        await connection.run_sync(account_outages.begin, "line", reason="credentials", now=now_ms())
        await account_health.keep_quota(connection, "line", limit=1000, used=850, at=now_ms())
    page = await tanaka.get("/console/accounts")
    assert "LINEのアクセストークンが使えません" in page.text and "発行し直して" in page.text
    assert "1,000通のうち 850通(85%)" in page.text and "残りが少なくなっています" in page.text
    assert "今月 85%使用" in (await tanaka.get("/console/")).text


async def test_six_dead_addresses_of_two_thousand_are_usual_and_two_of_ten_are_not(
    tanaka: Visitor, service: Service
) -> None:
    from scheduler.attention import needs_act
    from tests.bot.console.factories import tally_of

    assert not needs_act([tally_of(2000, refused=6)], [("mail", "mailbox_unknown", 6)])
    assert needs_act([tally_of(10, refused=2)], [("mail", "mailbox_unknown", 2)])
    assert needs_act([tally_of(2000, refused=1)], [("mail", "sender_refused", 1)])
    assert needs_act([tally_of(2000, refused=100)], [("mail", "temporarily_refused", 100)])
    assert needs_act([tally_of(2000, unknown=1)], [("mail", "no_answer", 1)])
    notice_id = await sent_notice(service, accepted=9, refused=1)
    page = await tanaka.get(f"/console/notices/{notice_id}")
    assert "配信済み:宛先10件" in page.text and "ふだんからある範囲" in page.text
    assert "一部不達" not in page.text and "num bad" not in page.html


async def test_only_who_administers_sees_settings_and_no_secret(admin: Visitor, service: Service) -> None:
    page = await admin.get("/console/settings")
    assert "KAIRANBAN_LINE__CHANNEL_TOKEN" in page.text and "(秘密。設定されています)" in page.text
    assert ">token<" not in page.html and "smtp://127.0.0.1:1" not in page.html


async def test_settings_and_maintenance_are_closed_to_others(tanaka: Visitor) -> None:
    assert (await tanaka.get("/console/settings")).status == 403
    assert (await tanaka.get("/console/maintenance")).status == 403
    assert "保守モード" not in (await tanaka.get("/console/")).text


async def test_maintenance_is_seen_on_every_page_and_stands_in_the_audit_trail(
    admin: Visitor, service: Service
) -> None:
    page = await admin.get("/console/maintenance")
    empty = await admin.submit(page, "/console/maintenance/begin", {"reason": "  "})
    assert empty.status == 422 and "まだ何も変えていません" in empty.text
    await admin.submit(page, "/console/maintenance/begin", {"reason": "サーバーの入れ替え"})
    await admin.submit(page, "/console/maintenance/begin", {"reason": "二度目"})
    for path in ("/console/", "/console/notices", "/console/reports", "/console/notices/new"):
        text = (await admin.get(path)).text
        assert "自動の配信を止めています" in text and "サーバーの入れ替え" in text and "二度目" not in text
    await admin.submit(await admin.get("/console/maintenance"), "/console/maintenance/end")
    assert "自動の配信を止めています" not in (await admin.get("/console/")).text
    async with service.database.read() as connection:
        acts = [item.action for item in await audit.entries(connection, actor="admin")]
    assert acts == ["maintenance.ended", "maintenance.begun"]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"urgency": "urgent", "category": "saigai"}, "fired"),
        ({"urgency": "routine"}, "held"),
        ({"urgency": "urgent", "category": "saigai", "due_later": True}, "held"),
    ],
)
async def test_in_maintenance_only_an_urgent_notice_by_hand_goes(
    service: Service, changes: dict[str, object], state: str
) -> None:
    now = now_ms()
    due_later = changes.pop("due_later", False)
    async with service.database.write() as connection:
        await maintenance.begin(connection, by="admin", reason="入れ替え", at=now)
        from content.notices import notice_changes

        wanted = spec(**{**changes, "at": now + HOUR if due_later else None})
        number, _ = await notice_changes.create(
            connection, wanted, submission_key="k", staff="tanaka", at=now
        )
        await notice_changes.approve(connection, number, staff="tanaka", at=now)
    await fire_due(service.context, now + (HOUR if due_later else 0))
    async with service.database.read() as connection:
        found = await notices.get(connection, number)
    assert found is not None and found.trigger_state == state


async def test_an_occurrence_in_maintenance_is_held_and_the_series_goes_on(service: Service) -> None:
    now = now_ms()
    rule = RecurrenceRule("weekly", to_jst(now + HOUR).time(), weekdays=tuple(range(7)))
    async with service.database.write() as connection:
        series = await make_notice(connection, at=now, rule=rule)
        await maintenance.begin(connection, by="admin", reason="入れ替え", at=now)
    await fire_due(service.context, now + HOUR)
    async with service.database.read() as connection:
        [occurrence] = await triggers.occurrences_of(connection, series)
        held, going_on = await notices.get(connection, occurrence), await notices.get(connection, series)
    assert held is not None and held.trigger_state == "held" and "保守モード" in held.held_reason
    assert going_on is not None and going_on.due_at is not None and going_on.due_at > now + DAY / 2


async def test_a_held_routine_notice_cannot_be_released_in_maintenance_and_an_urgent_one_can(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        await maintenance.begin(connection, by="admin", reason="入れ替え", at=now_ms())
        routine = await make_notice(connection)
        urgent = await make_notice(connection, urgency="urgent", category="saigai")
        for number in (routine, urgent):
            await triggers.hold(connection, number, "保守モードの間に")
    after = {}
    for number in (routine, urgent):
        page = await tanaka.get(f"/console/notices/{number}")
        after[number] = await tanaka.submit(page, f"/console/notices/{number}/release")
    assert "まだ配信していません" in after[routine].text
    assert "配信を始めました" in after[urgent].text
    assert await fire_due(service.context) == 1
    assert (await notice_service.find(service.context, urgent)).trigger_state == "fired"


async def test_the_report_of_a_drill_says_who_did_what_after_how_many_seconds(
    tanaka: Visitor, service: Service
) -> None:
    start = now_ms()
    async with service.database.write() as connection:
        drill = await make_notice(connection, mode="drill", category="saigai", at=start)
        ids = await make_subscribers(connection, service.keys, 3)
        await make_delivery(connection, [ids], notice_id=drill, at=start + 12_300)
        for at, action in ((start, "notice.drafted"), (start + 9_000, "notice.approved")):
            await audit.record(connection, at=at, actor="tanaka", action=action, subject=f"notice {drill}")
        live = await make_notice(connection)
    page = await tanaka.get(f"/console/notices/{drill}/drill")
    assert "9.0 お知らせを承認した tanaka" in page.text and "12.3 配信を始めた (自動)" in page.text
    table = await tanaka.get(f"/console/notices/{drill}/drill.csv")
    assert (
        "9.0,tanaka,お知らせを承認した" in table.html and "attachment" in table.headers["Content-Disposition"]
    )
    assert (await tanaka.get(f"/console/notices/{live}/drill")).status == 404


async def test_every_page_of_a_notice_says_its_mode(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        draft = await make_notice(connection, mode="drill", approved=False)
        sent = await make_notice(connection, mode="drill")
        live = await make_notice(connection)
    for path in (f"{draft}/edit", f"{draft}/confirm", str(sent), f"{sent}/drill"):
        page = await tanaka.get(f"/console/notices/{path}")
        assert "mode-bar-drill" in page.html and "訓練 すべての文に" in page.text, path
    assert "mode-bar-live" in (await tanaka.get(f"/console/notices/{live}")).html
