"""Trial addresses come and go, each act with its entry in the audit trail: never the address itself."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.register import trial_addresses, trial_requests
from content.register.trial_requests import TrialRequest
from content.staff import audit, members
from content.staff.members import Staff
from content.staff.rights import Permission
from scheduler.town_context import TownContext, trial_account


async def ask(context: TownContext, member: Staff, channel: str, plain: str = "") -> str:
    """The code that confirms it. Raises BadAddress, AddressRefused, LookupError without an account, NotAllowed."""
    now = context.database.now()
    async with context.database.write() as connection:
        await _require_member(connection, member)
        code = await trial_requests.ask(
            connection,
            context.keys,
            staff_id=member.id,
            account=_account(context, channel),
            channel=channel,
            plain=plain,
            at=now,
        )
        await _record(connection, now, member.login, "trial.address_asked", member.id, channel)
    return code


async def confirm(
    connection: AsyncConnection,
    keys: Keys,
    code: str,
    channel: str,
    *,
    account: str = "",
    plain: str = "",
    at: int,
) -> TrialRequest | None:
    """Within the transaction of who received the code; as content.register.trial_requests.confirm."""
    found = await trial_requests.confirm(connection, keys, code, channel, account=account, plain=plain, at=at)
    if found is not None:
        owner = await members.get_any(connection, found.staff_id)
        login = owner.login if owner else ""
        await _record(connection, at, login, "trial.address_added", found.staff_id, channel)
    return found


async def add_webhook(context: TownContext, member: Staff, plain: str) -> None:
    """Without a code: a machine reads none. Raises BadAddress, AddressRefused, LookupError, NotAllowed."""
    now = context.database.now()
    async with context.database.write() as connection:
        await members.require(connection, member.login, Permission.ADMINISTER, None)
        await trial_addresses.add(
            connection,
            context.keys,
            staff_id=member.id,
            account=_account(context, "webhook"),
            channel="webhook",
            plain=plain,
            at=now,
        )
        await _record(connection, now, member.login, "trial.address_added", member.id, "webhook")


async def remove(context: TownContext, member: Staff, address_id: int) -> bool:
    """False when this member has no such address."""
    now = context.database.now()
    async with context.database.write() as connection:
        removed = await trial_addresses.remove(connection, address_id, staff_id=member.id)
        if removed:
            await _record(connection, now, member.login, "trial.address_removed", member.id)
    return removed


async def choose_seed(context: TownContext, address_id: int, *, on: bool, staff: str) -> bool:
    """Whether the self-test goes to this address; False when there is none. Raises NotAllowed."""
    now = context.database.now()
    async with context.database.write() as connection:
        await members.require(connection, staff, Permission.ADMINISTER, None)
        changed = await trial_addresses.set_seed(connection, address_id, since=now if on else None)
        if changed:
            action = "trial.seed_on" if on else "trial.seed_off"
            await audit.record(
                connection, at=now, actor=staff, action=action, subject=f"trial_address {address_id}"
            )
    return changed


def _account(context: TownContext, channel: str) -> str:
    account = trial_account(context.town, channel)
    if account is None:
        raise LookupError(f"the town has no account of {channel}")
    return account.key


async def _require_member(connection: AsyncConnection, member: Staff) -> None:
    """Whoever was disabled meanwhile gets no new address. Raises NotAllowed."""
    await members.require(connection, member.login, Permission.SEE, None)


async def _record(
    connection: AsyncConnection, at: int, actor: str, action: str, staff_id: int, channel: str = ""
) -> None:
    about = {"channel": channel} if channel else {}
    await audit.record(connection, at=at, actor=actor, action=action, subject=f"staff {staff_id}", **about)
