"""自分に試し送り by the real road: marked, to the member's own addresses alone, and to no resident."""

from __future__ import annotations

from dataclasses import replace
from email import policy
from email.parser import BytesParser
from typing import Any

import pytest

from content.clock import MINUTE
from content.database import Database
from content.figures import counts
from content.keys import Keys
from content.ledger import reached
from content.notices import chains, maintenance, notice_changes, notices, publicity, recent_notices, searching
from content.notices.searching import Wanted
from content.notices.segments import Target
from content.register import trial_addresses
from content.staff import audit, member_changes, members
from content.staff.members import NotAllowed, Staff
from content.staff.rights import Permission, Right
from scheduler import after_sending, checks, notice_service, retrying, trials
from scheduler.checks import NoticeRefused
from scheduler.trials import MOST, TrialSent
from scheduler.triggers import fire_due
from tests.factories import APRIL_TUESDAY, create_town, line_id, make_notice, spec
from tests.scheduler.outside import Outside, register
from tests.scheduler.scripted import (
    Stage,
    eventually,
    get_notice,
    plan_all,
    rows_of,
    run_sql,
    sending,
    tally_of,
)

TEXTS = {
    "ja": ("避難所を開きました", "船岡小学校に避難所を開きました。"),
    "en": ("Shelter open", "A shelter is open at Funaoka Elementary School."),
}
RESIDENTS = [line_id(number) for number in range(1, 4)]
OWN_LINE, OWN_MAIL = line_id(9), "tanaka@shibata.example.jp"


async def add_member(database: Database, login: str = "tanaka", role: str = "editor") -> Staff:
    async with database.write() as connection:
        await member_changes.invite(connection, login=login, role=role, at=APRIL_TUESDAY)
        found = await members.find(connection, login)
    assert found is not None
    return found


async def add_address(database: Database, keys: Keys, member: Staff, channel: str, plain: str) -> int:
    async with database.write() as connection:
        return await trial_addresses.add(
            connection, keys, staff_id=member.id, account=channel, channel=channel, plain=plain, at=1
        )


async def draft(stage: Stage, **changes: Any) -> int:
    wanted: dict[str, Any] = {
        "category": "saigai",
        "urgency": "urgent",
        "texts": TEXTS,
        "channels": ("line", "mail"),
    }
    async with stage.database.write() as connection:
        return await make_notice(connection, approved=False, **{**wanted, **changes})


async def through(stage: Stage, *trial_ids: int) -> None:
    """The whole road, as the service goes it by itself."""
    await fire_due(stage.context)
    await plan_all(stage)

    async def over() -> bool:
        found = [await notice_service.status(stage.context, number) for number in trial_ids]
        return all(item.state in ("finished", "partly", "nobody") for item in found)

    async with sending(stage.context):
        await eventually(over, hurry=stage)


async def sent(stage: Stage, notice_id: int) -> list[TrialSent]:
    return await trials.sent_of(stage.context, await get_notice(stage.database, notice_id))


@pytest.fixture
async def tanaka(real: Stage, outside: Outside) -> Staff:
    """A member with a phone and a mailbox, among residents of whom she is one herself."""
    outside.line_friends(9)
    keys = real.context.keys
    await register(real.database, keys, "line", [*RESIDENTS, OWN_LINE])
    await register(real.database, keys, "mail", ["resident@example.jp"])
    member = await add_member(real.database)
    await add_address(real.database, keys, member, "line", OWN_LINE)
    await add_address(real.database, keys, member, "mail", OWN_MAIL)
    return member


async def test_a_trial_reaches_its_member_on_every_chosen_channel_marked_and_nobody_else(
    real: Stage, outside: Outside, tanaka: Staff
) -> None:
    notice_id = await draft(real)
    made = await trials.send(real.context, notice_id, member=tanaka, languages=["ja", "en"], actor="tanaka")
    await through(real, *made)
    assert dict(outside.chats) == {OWN_LINE: 2}
    japanese, english = sorted((item["altText"] for item in outside.words(9)), reverse=True)
    assert japanese.startswith("【試験】【緊急】避難所を開きました")
    assert english.startswith("[TEST] [URGENT] Shelter open")
    mails = outside.smtp.mailroom.mails
    assert {mail.recipient for mail in mails} == {OWN_MAIL}
    read = [BytesParser(policy=policy.default).parsebytes(mail.source) for mail in mails]
    assert sorted(str(mail["Subject"]) for mail in read) == [
        "[TEST] [URGENT] Shelter open",
        "【試験】【緊急】避難所を開きました",
    ]
    assert len({mail.message_id for mail in mails}) == 2
    for item in await sent(real, notice_id):
        assert (item.state, item.is_current) == ("finished", True)
        assert {row.channel: row.accepted for row in item.tallies} == {"line": 1, "mail": 1}
    assert (await get_notice(real.database, notice_id)).state == "draft"


async def test_an_address_that_is_refused_shows_its_reason_and_ends_nothing(
    real: Stage, outside: Outside, tanaka: Staff
) -> None:
    outside.smtp.faults.refuse = {OWN_MAIL: "550 5.1.1 no such user"}
    notice_id = await draft(real, channels=("mail",))
    made = await trials.send(real.context, notice_id, member=tanaka, languages=["ja"], actor="tanaka")
    await through(real, *made)
    (item,) = await sent(real, notice_id)
    assert (item.state, item.reasons) == ("partly", (("mail", "mailbox_unknown", 1),))
    async with real.database.read() as connection:
        assert len(await trial_addresses.of_staff(connection, real.context.keys, tanaka.id)) == 2
        assert await counts.active_now(connection) == {"line": 4, "mail": 1}
    with pytest.raises(NoticeRefused, match="もう一度試し送り"):
        await retrying.retry(real.context, made[0], staff="tanaka")


async def test_a_changed_draft_is_told_from_the_words_that_were_tried(real: Stage, tanaka: Staff) -> None:
    notice_id = await draft(real)
    await trials.send(real.context, notice_id, member=tanaka, languages=["ja"], actor="tanaka")
    found = await get_notice(real.database, notice_id)
    await notice_service.revise(
        real.context,
        notice_id,
        spec(category="saigai", texts={"ja": ("直した件名", "直した本文です。")}),
        staff="tanaka",
        version_id=found.version_id,
    )
    (item,) = await sent(real, notice_id)
    assert not item.is_current


async def test_a_trial_of_a_correction_looks_like_one_and_leaves_the_original_alone(
    real: Stage, outside: Outside, tanaka: Staff
) -> None:
    first = await draft(real, channels=("line",))
    async with real.database.write() as connection:
        await notice_changes.approve(connection, first, staff="tanaka", at=real.database.now())
    await through(real, first)
    before = dict(outside.chats)
    assert before == dict.fromkeys([*RESIDENTS, OWN_LINE], 1)
    correction = await draft(
        real,
        channels=("line",),
        kind="correction",
        corrects=first,
        texts={"ja": ("避難所は槻木小学校です", "直します。")},
    )
    made = await trials.send(real.context, correction, member=tanaka, languages=["ja"], actor="tanaka")
    await through(real, *made)
    assert dict(outside.chats) == {**before, OWN_LINE: 2}
    words = str(outside.words(9)[-1])
    assert "【試験】【緊急】【訂正】" in words and "「避難所を開きました」を訂正します" in words
    with pytest.raises(NoticeRefused, match="試し送りは住民に届いていない"):
        await after_sending.follow_up(real.context, made[0], "correction")  # type: ignore[arg-type]
    async with real.database.read() as connection:
        assert await chains.corrections_of(connection, first) == [correction]
        (row,) = await reached.deliveries_of(connection, first)
        assert await reached.count_reached(connection, row[0], "line", kind="correction") == 4


async def test_trials_are_in_no_list_and_no_comparison_and_their_page_is_not_listed(stage: Stage) -> None:
    member = await add_member(stage.database)
    await add_address(stage.database, stage.context.keys, member, "line", OWN_LINE)
    open_draft, closed_draft = (
        await draft(stage),
        await draft(stage, target=Target("group", "kucho")),
    )
    pages = []
    for notice_id in (open_draft, closed_draft):
        made = await trials.send(stage.context, notice_id, member=member, languages=["ja"], actor="tanaka")
        await through(stage, *made)
        found = await get_notice(stage.database, made[0])
        pages.append(publicity.is_public(stage.context.town, found))
        assert not publicity.is_listed(stage.context.town, found, stage.database.now())
    assert pages == [True, False]
    async with stage.database.read() as connection:
        ids = {open_draft, closed_draft}
        assert {item.id for item in await notices.recent(connection)} == ids
        assert {item.id for item in await searching.search(connection, Wanted(), limit=50)} == ids
        assert await searching.count(connection, Wanted()) == 2
        now = stage.database.now()
        assert await searching.between(connection, 0, now + MINUTE) == []
        assert await recent_notices.sent_before(connection, "saigai", now=now) == []


async def test_a_test_to_residents_is_refused_held_and_never_planned(stage: Stage) -> None:
    """Each wall by itself, for what an earlier version has stored."""
    await stage.subscribers(3)
    for wrong in (
        spec(category="saigai", mode="test"),
        spec(category="saigai", mode="test", target=Target("everyone")),
        spec(category="saigai", mode="live", target=Target("oneself", "1")),
        spec(category="saigai", mode="drill", target=Target("seeds")),
    ):
        problems = checks.find_problems(stage.context, wrong)
        assert [item.field for item in problems] == ["mode"]
        assert "自分に試し送り" in problems[0].message
    carrying = [{"key": "line", "channel": "line", "also_carries": ["test"]}]
    stage = Stage(replace(stage.context, town=create_town(accounts=carrying)), stage.scripts)
    stored = await stage.notice(category="saigai", mode="test", channels=("line",))
    assert await fire_due(stage.context) == 0
    assert "試験は住民に送れない" in (await get_notice(stage.database, stored)).held_reason
    with pytest.raises(NoticeRefused, match="試験は住民に送れない"):
        await notice_service.release(stage.context, stored, staff="tanaka")
    fired = await stage.deliver([], lane="routine", planned=False)
    await run_sql(stage.database, "UPDATE notice SET mode = 'test'")
    await plan_all(stage)
    assert (await tally_of(stage.database, fired)).state == "stopped"
    assert await rows_of(stage.database, fired) == []


async def test_a_trial_says_what_it_lacks_and_changes_nothing(stage: Stage) -> None:
    member = await add_member(stage.database)
    notice_id = await draft(stage, channels=("line",))

    async def refusal(**changes: object) -> str:
        wanted = {"member": member, "languages": ["ja"], "actor": "tanaka", **changes}
        with pytest.raises(NoticeRefused) as refused:
            await trials.send(stage.context, notice_id, **wanted)  # type: ignore[arg-type]
        return refused.value.problems[0].message

    await add_address(stage.database, stage.context.keys, member, "mail", OWN_MAIL)
    assert "あなたの試し送り先がありません" in await refusal()
    await add_address(stage.database, stage.context.keys, member, "line", OWN_LINE)
    assert "言語を選び直して" in await refusal(languages=["ko"])
    assert "言語を選び直して" in await refusal(languages=[])
    assert await sent(stage, notice_id) == []
    with pytest.raises(LookupError):
        await trials.send(stage.context, 999, member=member, languages=["ja"], actor="tanaka")


async def test_ten_minutes_have_so_many_trials(stage: Stage) -> None:
    member = await add_member(stage.database)
    await add_address(stage.database, stage.context.keys, member, "line", OWN_LINE)
    notice_id = await draft(stage)
    for _ in range(MOST // 2):
        await trials.send(stage.context, notice_id, member=member, languages=["ja", "en"], actor="tanaka")
    with pytest.raises(NoticeRefused, match="20通まで"):
        await trials.send(stage.context, notice_id, member=member, languages=["ja"], actor="tanaka")
    await run_sql(stage.database, "UPDATE notice SET created_at = created_at - 600001")
    await trials.send(stage.context, notice_id, member=member, languages=["ja"], actor="tanaka")
    async with stage.database.read() as connection:
        entries = await audit.entries(connection, action="notice.tried")
    assert len(entries) == MOST // 2 + 1


async def test_who_neither_writes_nor_decides_there_tries_nothing(stage: Stage) -> None:
    member = await add_member(stage.database)
    await add_address(stage.database, stage.context.keys, member, "line", OWN_LINE)
    notice_id = await draft(stage)

    async def try_with(*rights: Right) -> list[int]:
        async with stage.database.write() as connection:
            await member_changes.set_rights(connection, member, rights)
        return await trials.send(stage.context, notice_id, member=member, languages=["ja"], actor="tanaka")

    assert await try_with(Right(Permission.SEND_URGENT))
    for rights in ([], [Right(Permission.SEE)], [Right(Permission.WRITE, "office", "kosodate")]):
        with pytest.raises(NotAllowed):
            await try_with(*rights)
    await add_member(stage.database, "kanri", "administrator")
    async with stage.database.write() as connection:
        await member_changes.disable(connection, member, at=1)
    with pytest.raises(NoticeRefused):
        await try_with(Right(Permission.WRITE))


async def test_a_trial_goes_in_maintenance_too(stage: Stage) -> None:
    """To see whether what was repaired works."""
    member = await add_member(stage.database)
    await add_address(stage.database, stage.context.keys, member, "line", OWN_LINE)
    async with stage.database.write() as connection:
        await maintenance.begin(connection, by="kanri", reason="点検", at=1)
    made = await trials.send(
        stage.context,
        await draft(stage, urgency="routine"),
        member=member,
        languages=["ja"],
        actor="tanaka",
    )
    await through(stage, *made)
    assert [call.language for call in stage.line.calls] == ["ja"]


async def test_an_address_that_was_removed_meanwhile_gets_nothing(stage: Stage) -> None:
    member = await add_member(stage.database)
    number = await add_address(stage.database, stage.context.keys, member, "line", OWN_LINE)
    made = await trials.send(
        stage.context, await draft(stage), member=member, languages=["ja"], actor="tanaka"
    )
    await fire_due(stage.context)
    await plan_all(stage)
    async with stage.database.write() as connection:
        await trial_addresses.remove(connection, number)
    await through(stage, *made)
    assert stage.line.calls == []
    (row,) = (await notice_service.status(stage.context, made[0])).tallies
    assert (row.planned, row.accepted, row.refused) == (1, 0, 1)
