"""Adding a key, putting it in force, retiring one, and rotating the keys of a purpose: each an act in the audit trail.

A new key seals only when every living process holds it, so that what one seals every other opens. A new key of a purpose
begins a little later than it is written down, so that nobody meets what he does not know yet.
"""

from __future__ import annotations

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY, SECOND
from content.database import only_one
from content.database.identity import database_identity
from content.database.secret_keys import (
    in_force,
    known_keys,
    purpose_key,
    read_ring,
    sealed_key,
    secret_key,
)
from content.key_file import new_root
from content.key_ring import KeyPurpose, PurposeKey
from content.keys import Keys
from content.ledger import presence
from content.register import importing
from content.resealing import count_sealed, forget_codes
from content.staff import audit, audit_chain

# Each process looks at its keys every few seconds; by then every one has.
SETTLES = 15 * SECOND
# So long links that were sent before a rotation go on to work, unless they are ended at once.
LINKS_LAST = 90 * DAY
ROTATED = (KeyPurpose.SESSIONS, KeyPurpose.LINKS, KeyPurpose.AUDIT, KeyPurpose.ALERTS)


class CannotChange(Exception):
    """What is in the way of a change of keys, and the remedy; nothing was changed."""


class TrailBusy(CannotChange):
    """The audit trail is being linked at this very moment."""


async def note_added(connection: AsyncConnection, keys: Keys, number: int, *, at: int, actor: str) -> bool:
    """Write down that there is a new key, which waits to be in force; False when that was known."""
    known = {key.number for key in await known_keys(connection)}
    if number in known:
        return False
    rows = [{"number": number, "check_value": keys.check_of(number), "added_at": at, "in_force_at": None}]
    if not known:
        # Lines that were added by hand, as earlier versions had it, too.
        rows += [
            {"number": other, "check_value": keys.check_of(other), "added_at": 0, "in_force_at": 0}
            for other in keys.numbers - {number}
        ]
    await connection.execute(insert(secret_key), rows)
    await audit.record(connection, at=at, actor=actor, action="key.added", subject=f"key {number}")
    return True


async def put_in_force(connection: AsyncConnection, keys: Keys, number: int, *, at: int, actor: str) -> None:
    """From now on it seals. Raises CannotChange while a process does not hold it.

    An import that is being staged is given up: it has looked addresses up with the key of before.
    """
    without = await presence.without_key(connection, number, at)
    if without:
        raise CannotChange(", ".join(without))
    await importing.give_up(connection, before=at + 1)
    await connection.execute(update(secret_key).where(secret_key.c.number == number).values(in_force_at=at))
    await connection.execute(update(database_identity).values(key_check=keys.check_of(number)))
    await audit.record(connection, at=at, actor=actor, action="key.in_force", subject=f"key {number}")


async def rotate(
    connection: AsyncConnection,
    keys: Keys,
    purpose: KeyPurpose,
    *,
    at: int,
    actor: str,
    links_last: int = LINKS_LAST,
) -> None:
    """A new random key for one purpose. What the one before made is believed: sessions and alerts until the new one
    begins, links for `links_last` ms more, the audit trail up to its last link.

    Raises TrailBusy.
    """
    after_link = 0
    if purpose == KeyPurpose.AUDIT:
        if not await connection.run_sync(only_one, "audit_link"):
            raise TrailBusy("the audit trail is being written, nothing was changed: repeat the command")
        after_link = (await connection.run_sync(audit_chain.newest)).number
    before = await _written_down(connection, keys, purpose)
    begins = at if purpose == KeyPurpose.AUDIT else at + SETTLES
    new = PurposeKey(before.generation + 1, new_root(), begins, after_link=after_link)
    if purpose != KeyPurpose.AUDIT:
        ends = begins + (links_last if purpose == KeyPurpose.LINKS else 0)
        of_before = (purpose_key.c.purpose == purpose, purpose_key.c.generation <= before.generation)
        still_believed = func.coalesce(purpose_key.c.until, ends) >= ends
        await connection.execute(update(purpose_key).where(*of_before, still_believed).values(until=ends))
    await _write_down(connection, keys, purpose, new)
    await audit.record(connection, at=at, actor=actor, action="key.rotated", subject=purpose)


async def begin_retiring(
    connection: AsyncConnection, keys: Keys, number: int, *, at: int, actor: str, links_last: int
) -> None:
    """Nothing new is made with this key from here on: not a seal, a link, a session, an alert or a link of the trail.

    Safe to repeat. Raises CannotChange with the remedy.
    """
    known = {key.number: key for key in await known_keys(connection)}
    newest = in_force(list(known.values()))
    if number not in keys.numbers or (known and number not in known):
        raise CannotChange(f"there is no key {number}: `kairanban key list` shows those that there are")
    if newest is None or newest.number == number:
        raise CannotChange(f"key {number} is the one in force: run `kairanban key add` first")
    assert newest.in_force_at is not None
    ring = await read_ring(connection, keys)
    for purpose in ROTATED:
        if all(key.since < newest.in_force_at + SETTLES for key in ring.of_purpose.get(purpose, ())):
            await rotate(connection, keys, purpose, at=at, actor=actor, links_last=links_last)
    await _written_down(connection, keys, KeyPurpose.MAILS)


async def finish_retiring(connection: AsyncConnection, number: int, *, at: int, actor: str) -> bool:
    """Nothing needs the key any more; False while something is still sealed with it."""
    await forget_codes(connection, number)
    if await count_sealed(connection, number):
        return False
    retired = await connection.execute(
        update(secret_key)
        .where(secret_key.c.number == number, secret_key.c.retired_at.is_(None))
        .values(retired_at=at)
    )
    if retired.rowcount:
        await audit.record(connection, at=at, actor=actor, action="key.retired", subject=f"key {number}")
    return True


async def _written_down(connection: AsyncConnection, keys: Keys, purpose: KeyPurpose) -> PurposeKey:
    """The newest key of a purpose; one that is derived from the first key of the file is written down by this."""
    known = (await read_ring(connection, keys)).of_purpose.get(purpose)
    if known:
        return known[-1]
    derived = keys.of_purpose(purpose)[0]
    await _write_down(connection, keys, purpose, derived)
    return derived


async def _write_down(connection: AsyncConnection, keys: Keys, purpose: KeyPurpose, key: PurposeKey) -> None:
    await connection.execute(
        insert(purpose_key).values(
            purpose=purpose,
            generation=key.generation,
            sealed=sealed_key(keys, purpose, key),
            since=key.since,
            until=key.until,
        )
    )


async def newest_generations(connection: AsyncConnection) -> dict[str, int]:
    """By purpose; only of those that were ever rotated."""
    rows = await connection.execute(
        select(purpose_key.c.purpose, func.max(purpose_key.c.generation)).group_by(purpose_key.c.purpose)
    )
    return {row[0]: int(row[1]) for row in rows}
