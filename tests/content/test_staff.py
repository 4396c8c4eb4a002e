"""Staff: passwords, the lock after wrong ones, roles and sessions."""

import asyncio

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from content.clock import MINUTE
from content.staff import members
from content.staff.members import LOCK_FOR, PERMISSIONS, ROLES, Locked, PasswordTooShort, Staff, staff_member
from tests.factories import APRIL_TUESDAY

PASSWORD, WRONG = "ひなん-所-2026-船岡", "wrong password"
NOW = APRIL_TUESDAY


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    """The same hash with small costs, so that a wrong password takes no time."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(members, "_hasher", quick)
    monkeypatch.setattr(members, "_NOBODY", quick.hash("nobody has this password"))


@pytest.fixture
def hire(database):
    async def add(login="tanaka", role="editor", password=PASSWORD):
        async with database.write() as connection:
            return await members.add(connection, login=login, password=password, role=role, at=NOW)

    return add


async def fail(database, times, now=NOW):
    for _ in range(times):
        assert await members.log_in(database, "tanaka", WRONG, now) is None


async def test_login_and_password_let_in(database, hire):
    staff_id = await hire()
    entered = await members.log_in(database, "tanaka", PASSWORD, NOW)
    assert entered == Staff(staff_id, "tanaka", "editor", 1)


async def test_a_wrong_password_and_an_unknown_login_give_the_same_answer(database, hire):
    await hire()
    assert await members.log_in(database, "tanaka", WRONG, NOW) is None
    assert await members.log_in(database, "nobody", PASSWORD, NOW) is None
    assert await members.log_in(database, "nobody", "nobody has this password", NOW) is None


async def test_an_unknown_login_is_never_locked_and_leaves_nothing(database):
    for _ in range(7):
        assert await members.log_in(database, "nobody", WRONG, NOW) is None
    async with database.read() as connection:
        assert (await connection.execute(select(staff_member))).all() == []


async def test_a_password_is_not_stored_in_clear(database, hire):
    await hire()
    async with database.read() as connection:
        stored = await connection.scalar(select(staff_member.c.password_hash))
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


async def test_five_wrong_passwords_lock_also_the_right_one(database, hire):
    await hire()
    await fail(database, 5)
    with pytest.raises(Locked) as locked:
        await members.log_in(database, "tanaka", PASSWORD, NOW + 1)
    assert locked.value.until == NOW + LOCK_FOR


async def test_four_wrong_passwords_do_not_lock(database, hire):
    await hire()
    await fail(database, 4)
    assert await members.log_in(database, "tanaka", PASSWORD, NOW) is not None


async def test_a_right_password_clears_the_wrong_ones_before_it(database, hire):
    await hire()
    await fail(database, 4)
    await members.log_in(database, "tanaka", PASSWORD, NOW)
    await fail(database, 4)
    assert await members.log_in(database, "tanaka", PASSWORD, NOW) is not None


async def test_the_lock_ends_after_five_minutes(database, hire):
    await hire()
    await fail(database, 5)
    with pytest.raises(Locked):
        await members.log_in(database, "tanaka", PASSWORD, NOW + 5 * MINUTE - 1)
    assert await members.log_in(database, "tanaka", PASSWORD, NOW + 5 * MINUTE) is not None


async def test_after_a_lock_there_are_five_tries_again(database, hire):
    await hire()
    await fail(database, 5)
    await fail(database, 4, NOW + LOCK_FOR)
    assert await members.log_in(database, "tanaka", PASSWORD, NOW + LOCK_FOR) is not None


async def test_wrong_passwords_at_the_same_moment_are_all_counted(database, hire):
    await hire()
    tries = (members.log_in(database, "tanaka", WRONG, NOW) for _ in range(5))
    assert await asyncio.gather(*tries, return_exceptions=True) == [None] * 5
    with pytest.raises(Locked):
        await members.log_in(database, "tanaka", PASSWORD, NOW + 1)


async def test_a_right_password_that_was_under_way_when_the_lock_fell_is_refused(database, hire, monkeypatch):
    await hire()

    def slowly(password_hash, password):
        asyncio.run_coroutine_threadsafe(lock(), loop).result()
        return True

    async def lock():
        async with database.write() as connection:
            await connection.execute(update(staff_member).values(locked_until=NOW + LOCK_FOR))

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(members, "_fits", slowly)
    with pytest.raises(Locked):
        await members.log_in(database, "tanaka", PASSWORD, NOW)


async def test_one_members_lock_is_not_anothers(database, hire):
    await hire()
    await hire("sato")
    await fail(database, 5)
    assert await members.log_in(database, "sato", PASSWORD, NOW) is not None


async def test_who_is_disabled_cannot_enter_and_is_not_found(database, hire):
    staff_id = await hire()
    async with database.write() as connection:
        await connection.execute(update(staff_member).values(disabled_at=NOW))
        assert await members.get(connection, staff_id) is None
        assert await members.find(connection, "tanaka") is None
    assert await members.log_in(database, "tanaka", PASSWORD, NOW) is None


async def test_ending_sessions_raises_the_number_they_carry(database, hire):
    staff_id = await hire()
    async with database.write() as connection:
        await members.end_sessions(connection, staff_id)
        assert (await members.get(connection, staff_id)).session_number == 2
        assert (await members.find(connection, "tanaka")).session_number == 2


async def test_a_login_is_given_once(database, hire):
    await hire()
    with pytest.raises(IntegrityError):
        await hire()


async def test_a_role_that_does_not_exist_is_refused(hire):
    with pytest.raises(IntegrityError):
        await hire(role="mayor")


@pytest.mark.parametrize(("length", "taken"), [(9, False), (10, True)])
async def test_a_password_has_ten_characters_or_more(hire, length, taken):
    if taken:
        assert await hire(password="あ" * length)
    else:
        with pytest.raises(PasswordTooShort, match="10文字"):
            await hire(password="あ" * length)


def test_each_role_may_do_more_than_the_one_before():
    may = {role: {p for p in PERMISSIONS["administrator"] if Staff(1, "x", role, 1).may(p)} for role in ROLES}
    assert may["viewer"] == {"see"}
    assert may["editor"] == {"see", "write", "send"}
    assert may["administrator"] == {"see", "write", "send", "administer"}


def test_nobody_may_what_no_role_names():
    assert not any(Staff(1, "x", role, 1).may("delete_everything") for role in ROLES)
