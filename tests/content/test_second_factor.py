"""The second factor: codes of an app, on paper, and of an administrator; each good once."""

import pyotp
import pytest_asyncio

from content.clock import HOUR, SECOND
from content.staff import codes, member_changes, second_factor
from content.staff.codes import CodePurpose
from content.staff.second_factor import STEP
from tests.factories import APRIL_TUESDAY as NOW


@pytest_asyncio.fixture
async def tanaka(database):
    async with database.write() as connection:
        staff_id, _ = await member_changes.invite(connection, login="tanaka", role="editor", at=NOW)
    return staff_id


def code_at(secret, at):
    return pyotp.TOTP(secret).at(at // SECOND)


async def set_up(connection, keys, staff_id):
    secret = await second_factor.begin(connection, keys, staff_id)
    made = await second_factor.confirm(connection, keys, staff_id, code_at(secret, NOW), at=NOW)
    return secret, made


async def test_it_is_on_when_the_app_has_shown_that_it_works(database, keys, tanaka):
    async with database.write() as connection:
        secret = await second_factor.begin(connection, keys, tanaka)
        assert await second_factor.begin(connection, keys, tanaka) == secret, (
            "the picture is the same when reloaded"
        )
        wrong = code_at(secret, NOW + HOUR)
        assert await second_factor.confirm(connection, keys, tanaka, wrong, at=NOW) is None
        assert not await second_factor.is_on(connection, tanaka)
        made = await second_factor.confirm(connection, keys, tanaka, code_at(secret, NOW), at=NOW)
        assert made is not None and len(set(made)) == 10
        assert await second_factor.is_on(connection, tanaka)
        assert await second_factor.begin(connection, keys, tanaka) == "", "the secret is never shown again"


async def test_a_code_counts_once_and_for_a_clock_that_is_half_a_minute_off(database, keys, tanaka):
    async with database.write() as connection:
        secret, _ = await set_up(connection, keys, tanaka)
        at = NOW + 10 * STEP
        for offset, fits in (
            (-2, False),
            (2, False),
            (-1, True),
            (-1, False),
            (0, True),
            (1, True),
            (1, False),
        ):
            typed = code_at(secret, at + offset * STEP)
            how = await second_factor.check(connection, keys, tanaka, f"{typed[:3]} {typed[3:]}", at=at)
            assert how == ("app" if fits else None), offset
        for typed in ("", "12345", "1234567", "一二三四五六", "\N{FULLWIDTH DIGIT ONE}" * 6):
            assert await second_factor.check(connection, keys, tanaka, typed, at=at) is None


async def test_a_recovery_code_counts_once_however_it_is_typed(database, keys, tanaka):
    async with database.write() as connection:
        _, made = await set_up(connection, keys, tanaka)
        typed = made[3].replace("-", " ").upper()
        assert await second_factor.check(connection, keys, tanaka, typed, at=NOW) == "recovery"
        assert await second_factor.check(connection, keys, tanaka, made[3], at=NOW) is None
        assert await second_factor.recovery_codes_left(connection, tanaka) == 9
        await second_factor.new_recovery_codes(connection, tanaka)
        assert await second_factor.check(connection, keys, tanaka, made[4], at=NOW) is None


async def test_an_emergency_code_counts_once_for_an_hour_and_for_nothing_else(database, keys, tanaka):
    async with database.write() as connection:
        await set_up(connection, keys, tanaka)
        for late, how in ((HOUR, None), (HOUR - 1, "emergency")):
            code = await codes.make(connection, tanaka, CodePurpose.SECOND_FACTOR, at=NOW)
            assert not await codes.use(connection, tanaka, code, CodePurpose.PASSWORD, at=NOW)
            assert not await codes.use(connection, tanaka + 1, code, CodePurpose.SECOND_FACTOR, at=NOW)
            assert await second_factor.check(connection, keys, tanaka, code, at=NOW + late) == how
        assert await second_factor.check(connection, keys, tanaka, code, at=NOW) is None
        first = await codes.make(connection, tanaka, CodePurpose.SECOND_FACTOR, at=NOW)
        await codes.make(connection, tanaka, CodePurpose.SECOND_FACTOR, at=NOW)
        assert await second_factor.check(connection, keys, tanaka, first, at=NOW) is None


async def test_without_a_factor_no_code_fits(database, keys, tanaka):
    async with database.write() as connection:
        assert await second_factor.check(connection, keys, tanaka, "123456", at=NOW) is None
        _, made = await set_up(connection, keys, tanaka)
        await second_factor.remove(connection, tanaka)
        assert await second_factor.check(connection, keys, tanaka, made[0], at=NOW) is None
        assert not await second_factor.is_on(connection, tanaka)
