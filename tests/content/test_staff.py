"""Staff: members, passwords, roles, and sessions that end."""

import asyncio

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from content.staff import member_changes, members, passwords, rights
from content.staff.member_changes import LastAdministrator, LoginRefused
from content.staff.members import Staff, staff_member
from content.staff.passwords import PasswordRefused
from content.staff.rights import ROLES, Permission, Right, of_role
from tests.factories import APRIL_TUESDAY

PASSWORD = "ひなん-所-2026-船岡"
# As they are in the service, before the tests take quick ones.
HASHER, NOBODY = passwords._hasher, passwords._NOBODY
NOW = APRIL_TUESDAY


@pytest.fixture
def hire(database):
    async def add(login="tanaka", role="editor", password=PASSWORD):
        async with database.write() as connection:
            return await member_changes.add(
                connection,
                login=login,
                password_hash=await passwords.new_hash(password, login),
                role=role,
                at=NOW,
            )

    return add


async def test_a_password_is_not_stored_in_clear(database, hire):
    await hire()
    async with database.read() as connection:
        stored = await connection.scalar(select(staff_member.c.password_hash))
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_a_name_that_nobody_has_costs_as_much_to_check_as_a_known_one():
    assert HASHER.memory_cost >= 65_536
    assert not HASHER.check_needs_rehash(NOBODY)


async def test_who_is_disabled_is_not_found_and_every_session_ends(database, hire):
    await hire()
    async with database.write() as connection:
        tanaka = await members.find(connection, "tanaka")
        await member_changes.disable(connection, tanaka, at=NOW)
        assert await members.get(connection, tanaka.id) is None
        assert await members.find(connection, "tanaka") is None
        gone = await members.find_any(connection, "tanaka")
        assert (gone.disabled_at, gone.session_number) == (NOW, 2)


async def test_who_is_enabled_again_starts_without_the_sessions_of_before(database, hire):
    await hire()
    async with database.write() as connection:
        tanaka = await members.find(connection, "tanaka")
        await member_changes.disable(connection, tanaka, at=NOW)
        await member_changes.enable(connection, tanaka)
        assert (await members.find(connection, "tanaka")).session_number > tanaka.session_number


async def test_a_new_password_ends_sessions_and_a_new_role_does_not(database, hire):
    await hire()
    async with database.write() as connection:
        tanaka = await members.find(connection, "tanaka")
        await member_changes.set_password(
            connection, tanaka, await passwords.new_hash("another-kotoba-1", "tanaka"), at=NOW + 1
        )
        assert (await members.find(connection, "tanaka")).session_number == 2
        await member_changes.set_role(connection, tanaka, "viewer")
        assert await members.find(connection, "tanaka") == Staff(tanaka.id, "tanaka", 2, of_role("viewer"))
        stored = (await connection.execute(select(staff_member))).one()
    assert passwords.fits(stored.password_hash, "another-kotoba-1")
    assert not passwords.fits(stored.password_hash, PASSWORD)
    assert stored.password_set_at == NOW + 1


async def test_the_last_administrator_stays(database, hire):
    await hire("suzuki", "administrator")
    await hire("sato", "administrator")
    await hire("tanaka", "editor")
    async with database.write() as connection:
        suzuki, sato, tanaka = await members.everybody(connection)
        await member_changes.disable(connection, sato, at=NOW)
        with pytest.raises(LastAdministrator):
            await member_changes.disable(connection, suzuki, at=NOW)
        with pytest.raises(LastAdministrator):
            await member_changes.set_role(connection, suzuki, "editor")
        await member_changes.set_role(connection, suzuki, "administrator")
        await member_changes.disable(connection, tanaka, at=NOW)
        await member_changes.enable(connection, sato)
        await member_changes.set_role(connection, suzuki, "viewer")


async def test_two_administrators_who_go_at_the_same_moment_do_not_both_go(database, hire):
    await hire("suzuki", "administrator")
    await hire("sato", "administrator")
    async with database.read() as connection:
        both = await members.everybody(connection)

    async def go(member):
        async with database.write() as connection:
            await member_changes.disable(connection, member, at=NOW)

    outcomes = await asyncio.gather(*map(go, both), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastAdministrator", "NoneType"]


async def test_a_login_is_given_once(database, hire):
    await hire()
    with pytest.raises(IntegrityError):
        await hire()


@pytest.mark.parametrize("login", ["", "tana ka", "tanaka\n", "tanaka\u3000", "\u202etanaka", "x" * 101])
async def test_a_login_is_one_word_that_can_be_typed_and_read(hire, login):
    with pytest.raises(LoginRefused, match="ログイン名は"):
        await hire(login)


async def test_a_role_that_does_not_exist_is_refused(hire):
    with pytest.raises(KeyError):
        await hire(role="mayor")


@pytest.mark.parametrize(("length", "taken"), [(9, False), (10, True)])
async def test_a_password_has_ten_characters_or_more(hire, length, taken):
    if taken:
        assert await hire(password="あいうえおかきくけこ"[:length])
    else:
        with pytest.raises(PasswordRefused, match="10文字"):
            await hire(password="あいうえおかきくけこ"[:length])


@pytest.mark.parametrize(
    "password",
    [
        "Password123",
        "password123",
        "9876543210",
        "ああああああああああ",
        "abababababab",
        "tanaka2026",
        "Qwertyuiop",
    ],
)
async def test_what_everybody_tries_first_is_no_password(hire, password):
    with pytest.raises(PasswordRefused, match="推測されやすい"):
        await hire(password=password)


def test_each_role_may_do_more_than_the_one_before():
    may = {role: {p for p in Permission if Staff(1, "x", 1, of_role(role)).may(p)} for role in ROLES}
    assert may["viewer"] == {"see"}
    assert may["planner"] == {"see", "plan"}
    assert may["editor"] == {"see", "write", "approve", "send_urgent", "everyone", "plan"}
    assert may["administrator"] == may["editor"] | {"administer"}
    assert [Staff(1, "x", 1, of_role(role)).role for role in ROLES] == list(ROLES)


def test_nobody_may_what_no_right_names():
    assert not any(Staff(1, "x", 1, of_role(role)).may("delete_everything") for role in ROLES)


async def test_a_right_of_a_department_holds_for_its_categories_and_for_no_others(database, hire):
    await hire()
    async with database.write() as connection:
        await rights.add_department(connection, "kodomo", "子ども家庭課", ["kosodate", "kenko"], at=NOW)
        tanaka = await members.find(connection, "tanaka")
        await member_changes.set_rights(
            connection, tanaka, [Right("see"), Right("write", "kodomo"), Right("approve", "kodomo", "kenko")]
        )
        tanaka = await members.find(connection, "tanaka")
    assert tanaka.role == ""
    assert [tanaka.may("write", key) for key in ("kosodate", "kenko", "bohan")] == [True, True, False]
    assert [tanaka.may("approve", key) for key in ("kosodate", "kenko")] == [False, True]
    assert tanaka.may("write") and tanaka.may("see", "bohan") and not tanaka.may("administer")
    assert tanaka.categories("see") is None and tanaka.categories("write") == {"kosodate", "kenko"}
    async with database.write() as connection:
        await rights.set_categories(connection, "kodomo", ["kosodate"])
        tanaka = await members.find(connection, "tanaka")
    assert not tanaka.may("approve", "kenko"), "the department does not have it any more"


async def test_a_department_cannot_be_given_what_concerns_everybody(database, hire):
    await hire()
    async with database.write() as connection:
        await rights.add_department(connection, "kodomo", "子ども家庭課", ["kosodate"], at=NOW)
        tanaka = await members.find(connection, "tanaka")
        for permission in ("administer", "open_address"):
            with pytest.raises(rights.RightRefused, match="全庁で"):
                await member_changes.set_rights(connection, tanaka, [Right(permission, "kodomo")])
        for key, name in (("Kodomo", "x"), ("kodomo", "x"), ("x", "子ども家庭課"), ("x", "")):
            with pytest.raises(rights.RightRefused):
                await rights.add_department(connection, key, name, [], at=NOW)
        with pytest.raises(rights.RightRefused, match="すべての分野"):
            await rights.set_categories(connection, "office", [])


async def test_an_act_asks_for_the_right_again_when_it_is_done(database, hire):
    await hire()
    async with database.write() as connection:
        await members.require(connection, "tanaka", "write", "kosodate")
        await members.require(connection, "cli:root", "administer", None)
        await member_changes.set_role(connection, await members.find(connection, "tanaka"), "viewer")
        with pytest.raises(members.NotAllowed):
            await members.require(connection, "tanaka", "write", "kosodate")
        await members.require(connection, "tanaka", "see", "kosodate")
        await member_changes.disable(connection, await members.find(connection, "tanaka"), at=NOW)
        with pytest.raises(members.NotAllowed):
            await members.require(connection, "tanaka", "see", "kosodate")
