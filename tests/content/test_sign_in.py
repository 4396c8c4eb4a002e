"""Signing in: strangers cannot shut out a colleague, nor learn which names there are."""

import asyncio

import pytest

from content.staff import member_changes, members, passwords
from content.staff.hashing import Busy, HashingQueue
from content.staff.members import Staff
from content.staff.rights import of_role
from content.staff.sign_in import Attempt, Device, SignIns
from content.staff.throttle import TRIES, TRIES_OF_SOURCE
from tests.factories import APRIL_TUESDAY

PASSWORD, WRONG = "ひなん-所-2026-船岡", "wrong password"
NOW = APRIL_TUESDAY
DESK, HOME, STRANGER = "192.0.2.10", "198.51.100.7", "203.0.113.66"


class Counted(HashingQueue):
    """The queue, with how often somebody came to it, and full when told so."""

    def __init__(self):
        super().__init__(longest_wait=60)
        self.number = 0
        self.full = False

    async def run(self, work, **options):
        self.number += 1
        if self.full:
            raise Busy
        return await super().run(work, **options)


@pytest.fixture
def queue():
    return Counted()


@pytest.fixture
async def door(database, queue):
    for login in ("tanaka", "suzuki"):
        async with database.write() as connection:
            await member_changes.add(
                connection,
                login=login,
                password_hash=await passwords.new_hash(PASSWORD, login),
                role="editor",
                at=NOW,
            )
    made = SignIns(database, queue)
    yield made
    made.close()


async def try_it(door, login="tanaka", password=PASSWORD, address=DESK, device=None):
    return await door.enter(Attempt(login, password, address, device))


async def fail(door, times, **attempt):
    for _ in range(times):
        assert await try_it(door, password=WRONG, **attempt) is None


async def known_device(door, login="tanaka"):
    return Device("desk", {(await try_it(door, login, address=HOME)).id: NOW + 1})


async def test_login_and_password_let_in(door):
    entered = await try_it(door)
    assert entered == Staff(entered.id, "tanaka", 1, of_role("editor"))


async def test_a_stranger_who_guesses_tires_out_himself_alone(door):
    await fail(door, TRIES, address=STRANGER)
    assert await try_it(door, address=STRANGER) is None
    assert await try_it(door) is not None


async def test_a_known_device_passes_although_somebody_at_the_same_address_guesses(door):
    device = await known_device(door)
    await fail(door, TRIES_OF_SOURCE)
    assert await try_it(door) is None
    assert await try_it(door, device=device) is not None


async def test_a_known_device_has_its_five_tries_too(door):
    device = await known_device(door)
    await fail(door, TRIES, device=device)
    assert await try_it(door, device=device, address=HOME) is None
    assert await try_it(door) is not None


async def test_a_device_is_known_for_those_who_signed_in_from_it_alone(door):
    device = await known_device(door, "suzuki")
    await fail(door, TRIES, device=device)
    assert await try_it(door, device=device) is None
    assert await try_it(door, "suzuki", device=device) is not None


async def test_after_a_reset_every_device_is_a_stranger_again(door, database):
    device = await known_device(door)
    async with database.write() as connection:
        tanaka = await members.find(connection, "tanaka")
        await member_changes.set_password(
            connection, tanaka, await passwords.new_hash(PASSWORD, "tanaka"), at=NOW + 2
        )
    await fail(door, TRIES)
    assert await try_it(door, device=device) is None


async def test_the_right_password_clears_the_wrong_ones_before_it(door):
    for _ in range(3):
        await fail(door, TRIES - 1)
        assert await try_it(door) is not None


async def test_whoever_tries_one_password_on_many_names_has_to_wait_too(door):
    for number in range(TRIES_OF_SOURCE):
        await try_it(door, f"name{number}", WRONG, STRANGER)
    assert await try_it(door, address=STRANGER) is None
    assert await try_it(door) is not None


async def test_wrong_passwords_at_the_same_moment_are_all_counted(door):
    tries = (try_it(door, password=WRONG) for _ in range(4))
    assert await asyncio.gather(*tries) == [None] * 4
    await fail(door, 1)
    assert await try_it(door) is None


async def test_whoever_it_is_the_password_is_hashed_once(door, database, queue):
    async with database.write() as connection:
        await member_changes.disable(connection, await members.find(connection, "suzuki"), at=NOW)
    for login, password in (
        ("tanaka", WRONG),
        ("nobody", WRONG),
        ("suzuki", PASSWORD),
        ("nobody", "nobody has this password"),
        ("ta\0naka", PASSWORD),
        ("x" * 5000, PASSWORD),
    ):
        before = queue.number
        for _ in range(TRIES + 2):
            assert await try_it(door, login, password, address=login[:9]) is None
        assert queue.number - before == TRIES + 2


async def test_who_was_turned_away_has_lost_no_try(door, queue):
    queue.full = True
    for _ in range(TRIES * 2):
        with pytest.raises(Busy):
            await try_it(door)
    queue.full = False
    assert await try_it(door) is not None
