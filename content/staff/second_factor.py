"""The second factor: a code of an app on the member's phone (TOTP, RFC 6238), or a passkey, see passkeys.py;
and recovery codes on paper for both.

The secret is sealed like an address. A code counts for its half minute and the one before and after, and
each half minute counts once. Recovery codes are kept as hashes, each good once.
"""

from __future__ import annotations

from typing import Any

import pyotp
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    LargeBinary,
    Row,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import SECOND
from content.database import Id, metadata
from content.keys import Keys
from content.staff import codes, passkeys
from content.staff.codes import CodePurpose

STEP = 30 * SECOND
DIGITS = 6
AROUND = (0, -1, 1)
RECOVERY_CODES = 10
# Steps that the clock of a phone is looked for on either side: two hours.
CLOCKS_OFF = 240

staff_totp = Table(
    "staff_totp",
    metadata,
    Column("staff_id", Id, ForeignKey("staff_member.id"), primary_key=True, autoincrement=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    # When the first code of the app was typed: until then it asks for nothing.
    Column("confirmed_at", BigInteger),
    Column("last_step", BigInteger, nullable=False, server_default="0"),
)

staff_recovery_code = Table(
    "staff_recovery_code",
    metadata,
    Column("staff_id", Id, ForeignKey("staff_member.id"), primary_key=True, autoincrement=False),
    Column("code_hash", LargeBinary(32), primary_key=True),
    Column("used_at", BigInteger),
)


async def is_on(connection: AsyncConnection, staff_id: int) -> bool:
    """Whether it is asked for at the sign-in: by the app, by a passkey, or by both."""
    return await has_app(connection, staff_id) or await passkeys.has_any(connection, staff_id)


async def has_app(connection: AsyncConnection, staff_id: int) -> bool:
    return bool(
        await connection.scalar(
            select(staff_totp.c.staff_id).where(
                staff_totp.c.staff_id == staff_id, staff_totp.c.confirmed_at.is_not(None)
            )
        )
    )


async def with_factor(connection: AsyncConnection) -> set[int]:
    """The members who have one."""
    found = await connection.scalars(
        select(staff_totp.c.staff_id).where(staff_totp.c.confirmed_at.is_not(None))
    )
    return {int(row) for row in found} | await passkeys.with_passkey(connection)


async def begin(connection: AsyncConnection, keys: Keys, staff_id: int) -> str:
    """The secret that the app is shown, the same until it is confirmed; empty when there is an app already."""
    row = (
        await connection.execute(select(staff_totp).where(staff_totp.c.staff_id == staff_id))
    ).one_or_none()
    if row is not None:
        return "" if row.confirmed_at is not None else keys.open(row.sealed_secret, seal_place(staff_id))
    secret = pyotp.random_base32()
    sealed = keys.seal(secret, seal_place(staff_id))
    await connection.execute(insert(staff_totp).values(staff_id=staff_id, sealed_secret=sealed))
    return secret


async def confirm(
    connection: AsyncConnection, keys: Keys, staff_id: int, typed: str, *, at: int
) -> list[str] | None:
    """The app works: recovery codes, to be shown once; None when the code does not fit.

    Empty when there are some from before, for a passkey: they stay as they were printed.
    """
    if not await _take_step(connection, keys, staff_id, typed, at):
        return None
    await connection.execute(
        update(staff_totp).where(staff_totp.c.staff_id == staff_id).values(confirmed_at=at)
    )
    return await first_recovery_codes(connection, staff_id)


async def phone_is_off(
    connection: AsyncConnection, keys: Keys, staff_id: int, typed: str, *, at: int
) -> int | None:
    """By how many milliseconds the clock of the phone is ahead whose code did not fit; None when it is not that.

    For whoever is being shown the secret alone: to others it would tell codes of another time from wrong ones.
    """
    row = await _unconfirmed(connection, staff_id)
    if row is None:
        return None
    app, plain = pyotp.TOTP(keys.open(row.sealed_secret, seal_place(staff_id))), "".join(typed.split())
    now = at // STEP
    for distance in range(1, CLOCKS_OFF + 1):
        for offset in (-distance, distance):
            if pyotp.utils.strings_equal(plain, app.generate_otp(now + offset)):
                return offset * STEP
    return None


async def first_recovery_codes(connection: AsyncConnection, staff_id: int) -> list[str]:
    """With the first factor; empty when there are some."""
    if await recovery_codes_left(connection, staff_id):
        return []
    return await new_recovery_codes(connection, staff_id)


async def new_recovery_codes(connection: AsyncConnection, staff_id: int) -> list[str]:
    """In place of those of before."""
    made = [codes.new_code() for _ in range(RECOVERY_CODES)]
    await connection.execute(delete(staff_recovery_code).where(staff_recovery_code.c.staff_id == staff_id))
    await connection.execute(
        insert(staff_recovery_code),
        [{"staff_id": staff_id, "code_hash": codes.hash_of(code)} for code in made],
    )
    return made


async def recovery_codes_left(connection: AsyncConnection, staff_id: int) -> int:
    found = await connection.scalar(
        select(func.count())
        .select_from(staff_recovery_code)
        .where(staff_recovery_code.c.staff_id == staff_id, staff_recovery_code.c.used_at.is_(None))
    )
    return int(found or 0)


async def check(connection: AsyncConnection, keys: Keys, staff_id: int, typed: str, *, at: int) -> str | None:
    """How the member proved himself: "app", "recovery" or "emergency"; None when the code does not fit."""
    # Of an app that is not confirmed yet only its own page takes the code.
    if await has_app(connection, staff_id) and await _take_step(connection, keys, staff_id, typed, at):
        return "app"
    used = await connection.execute(
        update(staff_recovery_code)
        .where(
            staff_recovery_code.c.staff_id == staff_id,
            staff_recovery_code.c.code_hash == codes.hash_of(typed),
            staff_recovery_code.c.used_at.is_(None),
        )
        .values(used_at=at)
    )
    if used.rowcount:
        return "recovery"
    if await codes.use(connection, staff_id, typed, CodePurpose.SECOND_FACTOR, at=at):
        return "emergency"
    return None


async def remove(connection: AsyncConnection, staff_id: int) -> None:
    """The member has none any more, of no kind: the phone was lost, or another one comes."""
    await passkeys.remove_all(connection, staff_id)
    await connection.execute(delete(staff_recovery_code).where(staff_recovery_code.c.staff_id == staff_id))
    await connection.execute(delete(staff_totp).where(staff_totp.c.staff_id == staff_id))


async def remove_passkey(connection: AsyncConnection, staff_id: int, passkey_id: int) -> str | None:
    """Its name; None when there is none such. With the last factor its recovery codes go as well."""
    name = await passkeys.remove(connection, staff_id, passkey_id)
    if name is not None and not await is_on(connection, staff_id):
        await remove(connection, staff_id)
    return name


async def _unconfirmed(connection: AsyncConnection, staff_id: int) -> Row[Any] | None:
    return (
        await connection.execute(
            select(staff_totp).where(staff_totp.c.staff_id == staff_id, staff_totp.c.confirmed_at.is_(None))
        )
    ).one_or_none()


def seal_place(staff_id: int) -> str:
    return f"second factor {staff_id}"


async def _take_step(connection: AsyncConnection, keys: Keys, staff_id: int, typed: str, at: int) -> bool:
    """Whether it is a code of now that nobody has used; then that half minute is used up."""
    plain = "".join(typed.split())
    if not (len(plain) == DIGITS and plain.isascii() and plain.isdigit()):
        return False
    row = (
        await connection.execute(
            select(staff_totp).where(staff_totp.c.staff_id == staff_id).with_for_update()
        )
    ).one_or_none()
    if row is None:
        return False
    app = pyotp.TOTP(keys.open(row.sealed_secret, seal_place(staff_id)))
    for offset in AROUND:
        step = at // STEP + offset
        if step > row.last_step and pyotp.utils.strings_equal(plain, app.generate_otp(step)):
            await connection.execute(
                update(staff_totp).where(staff_totp.c.staff_id == staff_id).values(last_step=step)
            )
            return True
    return False
