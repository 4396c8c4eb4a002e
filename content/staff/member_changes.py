"""Members of staff come, go, and get another password or role."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.register import trial_addresses, trial_requests
from content.staff import codes, sessions
from content.staff.codes import CodePurpose
from content.staff.members import LONGEST_LOGIN, Staff, get_any, is_login, staff_member
from content.staff.passwords import PasswordHash
from content.staff.rights import Permission, Right, give, of_role, staff_right

# No hash: nothing that is typed fits it.
NO_PASSWORD = "none"  # noqa: S105
_ADMINISTERING = select(staff_right.c.staff_id).where(staff_right.c.permission == Permission.ADMINISTER)


class LoginRefused(ValueError):
    """Nobody may be called so; the message says why."""


class LastAdministrator(Exception):
    """Nobody could administer the service any more."""


async def add(
    connection: AsyncConnection, *, login: str, password_hash: PasswordHash, role: str, at: int
) -> int:
    """The member's id, with the rights of a role. Raises LoginRefused; IntegrityError when the login exists."""
    if not is_login(login):
        raise LoginRefused(f"ログイン名は、空白や改行を含まない{LONGEST_LOGIN}文字までの名前にしてください。")
    new_id = await connection.scalar(
        insert(staff_member)
        .values(
            login=login,
            password_hash=password_hash,
            password_set_at=at,
            created_at=at,
        )
        .returning(staff_member.c.id)
    )
    assert new_id is not None
    await give(connection, int(new_id), of_role(role))
    return int(new_id)


async def invite(connection: AsyncConnection, *, login: str, role: str, at: int) -> tuple[int, str]:
    """A member who sets the password with a one-time code: the id and the code.

    Raises LoginRefused; IntegrityError when the login exists.
    """
    if not is_login(login):
        raise LoginRefused(f"ログイン名は、空白や改行を含まない{LONGEST_LOGIN}文字までの名前にしてください。")
    staff_id = await connection.scalar(
        insert(staff_member)
        .values(login=login, password_hash=NO_PASSWORD, password_set_at=at, created_at=at)
        .returning(staff_member.c.id)
    )
    assert staff_id is not None
    await give(connection, int(staff_id), of_role(role))
    return int(staff_id), await codes.make(connection, int(staff_id), CodePurpose.PASSWORD, at=at)


async def forget_password(connection: AsyncConnection, member: Staff, *, at: int) -> str:
    """The password of before is none any more, sessions end; a code to set a new one."""
    await _change(connection, member.id, password_hash=NO_PASSWORD, password_set_at=at)
    return await codes.make(connection, member.id, CodePurpose.PASSWORD, at=at)


async def end_sessions(connection: AsyncConnection, staff_id: int) -> None:
    """Every session of this member ends, on every machine."""
    await _change(connection, staff_id)


async def disable(connection: AsyncConnection, member: Staff, *, at: int) -> None:
    """The member cannot enter any more, open sessions and trial addresses end. Raises LastAdministrator."""
    await _refuse_the_last(connection, member)
    await trial_requests.end_all_of(connection, member.id)
    await trial_addresses.remove_all_of(connection, member.id)
    await _change(connection, member.id, disabled_at=at)


async def enable(connection: AsyncConnection, member: Staff) -> None:
    """The member may sign in again, with the password of before."""
    await _change(connection, member.id, disabled_at=None)


async def set_password(
    connection: AsyncConnection, member: Staff, password_hash: PasswordHash, *, at: int
) -> None:
    """Sessions end, and devices have to become known again."""
    await _change(connection, member.id, password_hash=password_hash, password_set_at=at)


async def set_role(connection: AsyncConnection, member: Staff, role: str) -> None:
    """The rights of a role, in the whole office. Raises LastAdministrator."""
    await set_rights(connection, member, of_role(role))


async def change_right(
    connection: AsyncConnection, staff_id: int, right: Right, *, give: bool
) -> frozenset[Right] | None:
    """One right more or less: all that the member has now, None when it was so already.

    Raises LastAdministrator and RightRefused.
    """
    # Held from here, in the order of `set_rights`, so that two who change one member lose neither change.
    await _hold_administrators(connection)
    await _hold(connection, staff_id)
    member = await get_any(connection, staff_id)
    assert member is not None
    wanted = member.rights | {right} if give else member.rights - {right}
    if wanted == member.rights:
        return None
    await set_rights(connection, member, wanted)
    return wanted


async def set_rights(connection: AsyncConnection, member: Staff, rights: Iterable[Right]) -> None:
    """Sessions go on: rights are asked for at each request. Raises LastAdministrator and RightRefused."""
    wanted = frozenset(rights)
    if Right(Permission.ADMINISTER) not in wanted:
        await _refuse_the_last(connection, member)
    # An act that is under way keeps this row: it ends before its right does.
    await _hold(connection, member.id)
    await give(connection, member.id, wanted)


async def _hold(connection: AsyncConnection, staff_id: int) -> None:
    await connection.execute(select(staff_member.c.id).where(staff_member.c.id == staff_id).with_for_update())


async def _change(connection: AsyncConnection, staff_id: int, **values: object) -> None:
    await connection.execute(
        update(staff_member)
        .where(staff_member.c.id == staff_id)
        .values(session_number=staff_member.c.session_number + 1, **values)
    )
    await sessions.end_all(connection, staff_id)


async def _refuse_the_last(connection: AsyncConnection, member: Staff) -> None:
    if await _hold_administrators(connection) == [member.id]:
        raise LastAdministrator


async def _hold_administrators(connection: AsyncConnection) -> list[int]:
    """All of them are locked, so that two who leave at the same moment see each other go."""
    administrators = await connection.scalars(
        select(staff_member.c.id)
        .where(staff_member.c.id.in_(_ADMINISTERING), staff_member.c.disabled_at.is_(None))
        .order_by(staff_member.c.id)
        .with_for_update()
    )
    return [int(row) for row in administrators]
