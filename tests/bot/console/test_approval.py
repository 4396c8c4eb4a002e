"""Two people: a routine notice of a category that asks for them, an urgent one that somebody sent alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.console.sessions import csrf_token
from bot.service import Service
from content.clock import HOUR, now_ms
from content.notices import notices, submissions
from content.notices.notices import Notice
from content.notices.submissions import SubmissionState
from content.staff import audit, member_changes, members, passwords
from content.staff.rights import Right
from content.town import Town
from scheduler import approval, notice_service
from scheduler.approval import ApprovalRefused
from tests.bot.web_visitor import Page, Visitor
from tests.factories import PARENT, create_town, jst, make_subscriber, spec

TWO = ("kosodate", "saigai")


def two_person_town(**changes: Any) -> Town:
    plain = create_town().model_dump(mode="json")
    categories = [item | {"approval": "two"} if item["key"] in TWO else item for item in plain["categories"]]
    return create_town(categories=categories, **changes)


@pytest.fixture
def town() -> Town:
    return two_person_town()


async def notice_of(service: Service, notice_id: int) -> Notice:
    async with service.database.read() as connection:
        found = await notices.get(connection, notice_id)
    assert found is not None
    return found


async def actions(service: Service) -> list[str]:
    async with service.database.read() as connection:
        return [entry.action for entry in await audit.entries(connection)][::-1]


async def register_parent(service: Service) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, PARENT)


async def written(visitor: Visitor, service: Service, **fields: str) -> Page:
    await register_parent(service)
    return await visitor.write(channels=["line"], **fields)


def id_of(page: Page) -> int:
    return int(page.path.split("/")[3])


def action(page: Page, name: str) -> str:
    return f"/console/notices/{id_of(page)}/{name}"


async def test_a_routine_notice_goes_out_when_another_person_approves_it(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    confirm = await written(tanaka, service)
    assert "作った人とは別の人が承認すると配信されます" in confirm.text
    assert action(confirm, "approve") not in confirm.html
    sent = await tanaka.submit(confirm, action(confirm, "submit"))
    assert sent.path.startswith("/console/waiting") and "承認を依頼しました" in sent.text
    assert "承認待ち" in (await tanaka.get("/console/notices")).text
    home = await suzuki.get("/console/")
    assert "あなたの確認を待っているお知らせ(1件)" in home.text
    theirs = await suzuki.get(f"/console/notices/{id_of(confirm)}")
    done = await suzuki.approve(theirs)
    assert done.path == f"/console/notices/{id_of(confirm)}"
    found = await notice_of(service, id_of(confirm))
    assert (found.state, found.created_by, found.approved_by) == ("approved", "tanaka", "suzuki")
    assert "あなたの確認を待っている" not in (await suzuki.get("/console/")).text
    assert (await actions(service))[-3:] == ["notice.drafted", "notice.submitted", "notice.approved"]


async def test_a_notice_comes_back_with_a_remark_and_goes_out_after_it_was_mended(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    confirm = await written(tanaka, service)
    await tanaka.submit(confirm, action(confirm, "submit"))
    theirs = await suzuki.get(confirm.path)
    empty = await suzuki.submit(theirs, action(confirm, "return"), {"remark": "  "})
    assert "まだ差し戻していません" in empty.text
    back = await suzuki.submit(theirs, action(confirm, "return"), {"remark": "会場の名前が違います。"})
    assert "差し戻しました" in back.text
    again = await suzuki.submit(theirs, action(confirm, "return"), {"remark": "もう一度"})
    assert "もう承認待ちではない" in again.text
    mine = await tanaka.get(confirm.path)
    assert "差し戻されています" in mine.text and "会場の名前が違います。" in mine.text
    edit = await tanaka.get(confirm.path.replace("/confirm", "/edit"))
    edited = await tanaka.submit(edit, action(confirm, "edit"), {"body.ja": "会場は保健センターです。"})
    await tanaka.submit(edited, action(confirm, "submit"))
    assert (await suzuki.approve(await suzuki.get(confirm.path))).status == 200
    assert (await notice_of(service, id_of(confirm))).approved_by == "suzuki"


async def test_nobody_approves_what_is_his_own(tanaka: Visitor, suzuki: Visitor, service: Service) -> None:
    confirm = await written(tanaka, service)
    notice_id = id_of(confirm)
    for login in ("tanaka", "suzuki"):
        with pytest.raises(ApprovalRefused, match="先に承認を依頼"):
            await notice_service.approve(service.context, notice_id, staff=login)
    await tanaka.submit(confirm, action(confirm, "submit"))
    with pytest.raises(ApprovalRefused, match="自分では承認できません"):
        await notice_service.approve(service.context, notice_id, staff="tanaka")
    # Whoever changes the words becomes their writer, and the request for the old words is gone.
    edit = await suzuki.get(confirm.path.replace("/confirm", "/edit"))
    edited = await suzuki.submit(edit, action(confirm, "edit"), {"body.ja": "会場は保健センターです。"})
    assert action(confirm, "approve") not in edited.html
    with pytest.raises(ApprovalRefused, match="先に承認を依頼"):
        await notice_service.approve(service.context, notice_id, staff="tanaka")
    await suzuki.submit(edited, action(confirm, "submit"))
    assert (await tanaka.approve(await tanaka.get(confirm.path))).status == 200
    assert (await notice_of(service, notice_id)).approved_by == "tanaka"


async def test_of_two_approvals_at_once_and_of_a_stale_one_only_one_counts(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    confirm = await written(tanaka, service)
    notice_id = id_of(confirm)
    async with service.database.write() as connection:
        await member_changes.add(
            connection,
            login="sato",
            password_hash=await passwords.new_hash("nagai-kotoba-desu", "sato"),
            role="editor",
            at=now_ms(),
        )
    await tanaka.submit(confirm, action(confirm, "submit"))
    seen = (await notice_of(service, notice_id)).version_id
    edit = await tanaka.get(confirm.path.replace("/confirm", "/edit"))
    edited = await tanaka.submit(edit, action(confirm, "edit"), {"body.ja": "時刻を直しました。"})
    await tanaka.submit(edited, action(confirm, "submit"))
    assert not await notice_service.approve(service.context, notice_id, staff="suzuki", version_id=seen)
    assert not await approval.return_to_writer(
        service.context, notice_id, staff="suzuki", remark="x", version_id=seen
    )
    current = (await notice_of(service, notice_id)).version_id
    both = await asyncio.gather(
        *(
            notice_service.approve(service.context, notice_id, staff=login, version_id=current)
            for login in ("suzuki", "sato")
        )
    )
    assert sorted(both) == [False, True]
    assert (await actions(service)).count("notice.approved") == 1
    async with service.database.read() as connection:
        latest = await submissions.latest(connection, notice_id)
    assert latest is not None and latest.state == SubmissionState.APPROVED


async def test_a_right_that_is_taken_away_before_the_button_is_pressed_counts_no_more(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    confirm = await written(tanaka, service)
    await tanaka.submit(confirm, action(confirm, "submit"))
    theirs = await suzuki.get(confirm.path)
    async with service.database.write() as connection:
        member = await members.find(connection, "suzuki")
        assert member is not None
        # The door still opens for a notice of this category, the act does not.
        await member_changes.set_rights(connection, member, [Right("see"), Right("send_urgent")])
    refused = await suzuki.approve(theirs)
    assert refused.status == 403
    assert (await notice_of(service, id_of(confirm))).state == "draft"


async def test_whoever_may_only_write_asks_somebody_who_may_send(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        member = await members.find(connection, "tanaka")
        assert member is not None
        await member_changes.set_rights(connection, member, [Right("see"), Right("write")])
    confirm = await written(tanaka, service, category="saigai", urgency="urgent")
    assert "「緊急発信」の権限がありません" in confirm.text
    await tanaka.submit(confirm, action(confirm, "submit"))
    token = csrf_token(service, member)
    assert (await tanaka.post(action(confirm, "approve"), [("csrf", token)])).status == 403
    assert (await suzuki.approve(await suzuki.get(confirm.path), "緊急配信")).status == 200
    assert (await notice_of(service, id_of(confirm))).approved_by == "suzuki"


async def test_an_urgent_notice_goes_out_alone_and_nags_until_a_second_person_has_looked(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    confirm = await written(tanaka, service, category="saigai", urgency="urgent")
    assert "1時間以内に、別の人が確認します" in confirm.text
    without = await tanaka.submit(confirm, action(confirm, "approve"), {"word": "緊急配信", "reason": " "})
    assert without.status == 422 and "理由を書いてください" in without.text
    sent = await tanaka.approve(confirm, "緊急配信")
    notice_id = id_of(confirm)
    assert (await notice_of(service, notice_id)).approved_by == "tanaka"
    assert action(confirm, "review") not in sent.html and "別の人が確認します" in sent.text
    assert not await approval.review(service.context, notice_id, staff="tanaka", remark="")
    assert "あなたの確認を待っているお知らせ(1件)" in (await suzuki.get("/console/")).text
    async with service.database.read() as connection:
        (task,) = await submissions.open_reviews(connection)
    assert 0 < task.due_at - now_ms() <= HOUR
    theirs = await suzuki.get(f"/console/notices/{notice_id}")
    done = await suzuki.submit(theirs, action(confirm, "review"), {"remark": "避難所を足したい"})
    assert "確認したことを記録しました" in done.text
    assert "確認を待っている" not in (await suzuki.get("/console/")).text
    assert "避難所を足したい" in (await tanaka.get(f"/console/notices/{notice_id}")).text
    entries = await actions(service)
    assert entries[-1] == "notice.reviewed"


async def test_the_command_line_hands_a_notice_for_two_to_the_second_person(
    suzuki: Visitor, service: Service
) -> None:
    await register_parent(service)
    notice_id = await notice_service.post(
        service.context, spec(), submission_key="a", staff="cli:root", reason=""
    )
    assert (await notice_of(service, notice_id)).state == "draft"
    page = await suzuki.get(f"/console/notices/{notice_id}")
    await suzuki.approve(page)
    assert (await notice_of(service, notice_id)).approved_by == "suzuki"


def test_routine_notices_outside_the_offices_hours_are_asked_why() -> None:
    town = two_person_town(office_hours={"opens": "08:30", "closes": "17:15"})
    moments = {
        jst(2026, 4, 7, 8, 29): True,
        jst(2026, 4, 7, 8, 30): False,
        jst(2026, 4, 7, 17, 14): False,
        jst(2026, 4, 7, 17, 15): True,
        jst(2026, 4, 11, 12): True,
        jst(2026, 4, 29, 12): True,
    }
    assert {at: approval.out_of_hours(town, spec(), at) for at in moments} == moments
    night = jst(2026, 4, 7, 3)
    assert not approval.out_of_hours(town, spec(urgency="urgent"), night)
    assert not approval.out_of_hours(town, spec(at=jst(2026, 4, 7, 9)), night)
    assert not approval.out_of_hours(create_town(), spec(), night)


async def test_hours_that_end_before_they_begin_are_refused_by_the_profile() -> None:
    with pytest.raises(ValueError, match="opens must be before closes"):
        create_town(office_hours={"opens": "17:15", "closes": "08:30"})
