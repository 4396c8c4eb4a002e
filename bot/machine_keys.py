"""Keys of machines: made and ended by whoever administers, on the screen or the command line, and audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.service import Service
from content.clock import DAY, end_of_day, iso, today_jst
from content.staff import audit, machines, members
from content.staff.machines import Machine, MachineRefused
from content.staff.rights import OFFICE, Permission

USUAL_DAYS = 365
LONGEST_DAYS = 3 * 366
PER_HOUR = 30


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for. `days` until it ends, at the end of that day."""

    name: str
    department: str = OFFICE
    permissions: Sequence[str] = ()
    categories: Sequence[str] = ()
    networks: str = ""
    per_hour: int = PER_HOUR
    days: int = USUAL_DAYS


async def make(service: Service, wanted: Wanted, *, by: str) -> str:
    """The key, to be shown once. Raises MachineRefused and NotAllowed."""
    now = service.database.now()
    if not 1 <= wanted.days <= LONGEST_DAYS:
        raise MachineRefused("expires", f"期限は、1〜{LONGEST_DAYS}日後にしてください。")
    if unknown := sorted(set(wanted.categories) - set(service.town.category)):
        raise MachineRefused("category", f"「{unknown[0]}」という分野はありません。")
    expires_at = end_of_day(today_jst(now + wanted.days * DAY))
    async with service.database.write() as connection:
        await members.require(connection, by, Permission.ADMINISTER, None)
        machine_id, token = await machines.add(
            connection,
            name=wanted.name,
            department=wanted.department,
            permissions=wanted.permissions,
            categories=wanted.categories,
            networks=wanted.networks,
            per_hour=wanted.per_hour,
            expires_at=expires_at,
            by=by,
            at=now,
        )
        await audit.record(
            connection,
            at=now,
            actor=by,
            action="machine.added",
            subject=f"machine {machine_id}",
            name=wanted.name,
            department=wanted.department,
            permissions=sorted(set(wanted.permissions)),
            categories=sorted(set(wanted.categories)),
            expires=iso(expires_at),
        )
    return token


async def end(service: Service, machine: Machine, *, by: str) -> bool:
    """False when it had ended before. Raises NotAllowed."""
    now = service.database.now()
    async with service.database.write() as connection:
        await members.require(connection, by, Permission.ADMINISTER, None)
        ended = await machines.end(connection, machine.id, at=now)
        if ended:
            await audit.record(
                connection,
                at=now,
                actor=by,
                action="machine.ended",
                subject=f"machine {machine.id}",
                name=machine.name,
            )
    return ended
