"""A member of staff types her code to the town's account: taken before the chat answers, and it registers nobody."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from content.register import trial_addresses
from content.register.subscribers import registration_event
from content.register.trial_requests import trial_request
from content.staff import audit, member_changes, members
from content.staff.members import Staff
from scheduler import trial_addressing
from tests.bot.line.village import MARIA, SATO, Village, words_of
from tests.factories import line_id


async def add_member(village: Village) -> Staff:
    async with village.service.database.write() as connection:
        for user_id in (SATO, MARIA):
            # A friend whose follow got lost, so that nothing is registered before.
            village.platform.channel.users.by_id[user_id].state = "friend"
        await member_changes.invite(connection, login="tanaka", role="editor", at=1)
        found = await members.find(connection, "tanaka")
    assert found is not None
    return found


async def own(village: Village, member: Staff) -> list[str]:
    async with village.service.database.read() as connection:
        found = await trial_addresses.of_staff(connection, village.service.keys, member.id)
    return [item.plain for item in found]


async def events(village: Village) -> int:
    async with village.service.database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(registration_event)) or 0)


async def test_her_code_makes_her_line_a_trial_address_and_no_registration(village: Village) -> None:
    member = await add_member(village)
    code = await trial_addressing.ask(village.service.context, member, "line")
    (answer,) = await village.act(SATO, "text", text=f"{code[:4].upper()} {code[4:]}")
    assert "試し送り先に登録しました" in words_of(answer)
    assert await own(village, member) == [SATO]
    assert await village.registration(SATO) is None
    assert await events(village) == 0
    again = await village.act(MARIA, "text", text=code)
    assert "試し送り先" not in words_of(again)
    assert await own(village, member) == [SATO], "a code serves once"
    async with village.service.database.read() as connection:
        entries = await audit.entries(connection, action="trial.address_added")
    assert [(item.actor, item.subject) for item in entries] == [("tanaka", f"staff {member.id}")]


async def test_a_friend_stays_the_resident_that_she_is(village: Village) -> None:
    member = await add_member(village)
    village.platform.channel.users.by_id[SATO].state = "none"
    await village.act(SATO, "follow")
    before = await village.preferences(SATO)
    code = await trial_addressing.ask(village.service.context, member, "line")
    await village.act(SATO, "text", text=code)
    assert await own(village, member) == [SATO]
    assert await village.preferences(SATO) == before
    await village.act(SATO, "block")
    assert await own(village, member) == [SATO], "the registration ended, and not what she has as staff"


async def test_a_wrong_or_old_code_is_chat_like_any_other(village: Village) -> None:
    member = await add_member(village)
    code = await trial_addressing.ask(village.service.context, member, "line")
    await village.service.database.write_step(_age)
    for text in (code, "0" * 8, "settings"):
        answer = await village.act(SATO, "text", text=text)
        assert "試し送り先" not in words_of(answer)
    assert await own(village, member) == []


async def test_a_fourth_phone_is_refused_in_words(village: Village) -> None:
    member = await add_member(village)
    async with village.service.database.write() as connection:
        for number in (1, 2, 3):
            await trial_addresses.add(
                connection,
                village.service.keys,
                staff_id=member.id,
                account="line",
                channel="line",
                plain=line_id(number),
                at=1,
            )
    code = await trial_addressing.ask(village.service.context, member, "line")
    (answer,) = await village.act(SATO, "text", text=code)
    assert "3件まで" in words_of(answer)
    assert len(await own(village, member)) == 3


def _age(connection: Connection) -> None:
    connection.execute(update(trial_request).values(expires_at=1))
