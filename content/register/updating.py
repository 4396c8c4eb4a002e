"""A file that changes or ends registrations: those it names, and nobody whom it does not name.

Cells that are empty leave what is there. The file was checked as a whole before; its rows are then written a few
at a time, each with its event, so that sending goes on beside it. Cut off, the same file finishes the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database
from content.keys import Keys
from content.register.addresses import lookup_part
from content.register.registration import Registration
from content.register.registration_events import IMPORTED
from content.register.states import Route, SubscriberState
from content.register.subscriber_changes import alter_preferences, leave
from content.register.subscribers import Preferences, address, require, subscriber

SLICE = 100
ENDED = "list_ended"
# What a file may change; groups come and go by their own lists.
CHANGEABLE = ("categories", "areas", "language", "birth_months", "quiet_hours", "paused_until", "pace")

Row = tuple[Registration, frozenset[str]]


class ImportMode(StrEnum):
    """What a file is for: to register, to change what was chosen, to end."""

    ADD = "add"
    UPDATE = "update"
    END = "end"


@dataclass(slots=True)
class Outcome:
    """Rows by what became of them: `done` were changed or ended, `same` needed nothing, `left` have left before or
    were erased, `unknown` are not registered."""

    done: int = 0
    same: int = 0
    left: int = 0
    unknown: int = 0


async def apply(
    database: Database,
    keys: Keys,
    rows: Sequence[Row],
    mode: ImportMode,
    advance: Callable[[int], None],
    *,
    at: int,
    only_count: bool = False,
) -> Outcome:
    """UPDATE or END. Each row is a registration as the file says it, and the columns in which it says something."""
    outcome = Outcome()
    for start in range(0, len(rows), SLICE):
        part = rows[start : start + SLICE]
        async with database.read() if only_count else database.write() as connection:
            known = await _known(connection, keys, [registration for registration, _ in part])
            for registration, given in part:
                found = next(filter(None, map(known.get, _identities(keys, registration))), None)
                if found is None:
                    outcome.unknown += 1
                elif found[1] != SubscriberState.ACTIVE:
                    outcome.left += 1
                elif await _apply(connection, found[0], registration, given, mode, at, only_count):
                    outcome.done += 1
                else:
                    outcome.same += 1
        advance(len(part))
    return outcome


async def _apply(
    connection: AsyncConnection,
    number: int,
    registration: Registration,
    given: frozenset[str],
    mode: ImportMode,
    at: int,
    only_count: bool,
) -> bool:
    """Whether something changes."""
    if mode == ImportMode.END:
        if not only_count:
            await leave(connection, number, reason=ENDED, at=at, route=Route.IMPORT)
        return True
    before = (await require(connection, number)).preferences
    wanted = _changed(before, registration.preferences, given)
    if wanted != before and not only_count:
        await alter_preferences(
            connection,
            number,
            lambda chosen: _changed(chosen, registration.preferences, given),
            reason=IMPORTED,
            at=at,
            route=Route.IMPORT,
        )
    return wanted != before


def _changed(before: Preferences, said: Preferences, given: frozenset[str]) -> Preferences:
    return replace(before, **{name: getattr(said, name) for name in CHANGEABLE if name in given})


async def _known(
    connection: AsyncConnection, keys: Keys, registrations: Sequence[Registration]
) -> dict[tuple[str, bytes], tuple[int, str]]:
    """(account, look-up) → (number, state)."""
    by_account: dict[str, list[bytes]] = defaultdict(list)
    for registration in registrations:
        for account, lookup in _identities(keys, registration):
            by_account[account].append(lookup)
    found: dict[tuple[str, bytes], tuple[int, str]] = {}
    for account, lookups in by_account.items():
        rows = await connection.execute(
            select(address.c.lookup, subscriber.c.id, subscriber.c.state)
            .join(subscriber, subscriber.c.id == address.c.subscriber_id)
            .where(address.c.account == account, address.c.lookup.in_(lookups))
        )
        found.update({(account, bytes(row.lookup)): (int(row.id), row.state) for row in rows})
    return found


def _identities(keys: Keys, registration: Registration) -> list[tuple[str, bytes]]:
    plain = lookup_part(registration.channel, registration.address)
    return [(registration.account, lookup) for lookup in keys.lookups(registration.account, plain)]
