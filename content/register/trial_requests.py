"""An address that a member of staff wants for trials, until somebody who reads there has confirmed it by a code.

The code is random, kept as a hash, good once and for a short time. A mail address is sealed here until then; of
LINE nothing is known before the code comes from there.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import HOUR, MINUTE
from content.database import Id, metadata
from content.database.identity import ALPHABET
from content.keys import Keys
from content.register import addresses, trial_addresses
from content.register.trial_addresses import AddressRefused

LASTS = {"line": 15 * MINUTE, "mail": 24 * HOUR}
# Letters of the code: typed by hand into LINE, followed as a link in a mail.
LENGTH = {"line": 8, "mail": 24}
# Of one member in an hour: each may be a mail to somebody who asked for none.
MOST_PER_HOUR = 6
KEPT = 24 * HOUR

trial_request = Table(
    "trial_request",
    metadata,
    Column("code_hash", LargeBinary(32), primary_key=True),
    Column("staff_id", Id, ForeignKey("staff_member.id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("channel", Text, nullable=False),
    # Empty for LINE.
    Column("sealed", LargeBinary, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    # Used, and replaced by a newer one, is over too.
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "staff_id", "asked_at"),
)


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """One that can be confirmed now. `plain` is "" for LINE."""

    staff_id: int
    account: str
    channel: str
    plain: str = field(repr=False)
    expires_at: int


async def ask(
    connection: AsyncConnection,
    keys: Keys,
    *,
    staff_id: int,
    account: str,
    channel: str,
    plain: str = "",
    at: int,
) -> str:
    """The code that confirms it; one of before for the same account is over. Raises BadAddress and AddressRefused."""
    plain = addresses.normalise(channel, plain) if plain or channel != "line" else ""
    await connection.execute(delete(trial_request).where(trial_request.c.asked_at < at - KEPT))
    asked = await connection.scalar(
        select(func.count())
        .select_from(trial_request)
        .where(trial_request.c.staff_id == staff_id, trial_request.c.asked_at > at - HOUR)
    )
    if (asked or 0) >= MOST_PER_HOUR:
        raise AddressRefused(
            f"登録の手続きは、1時間に{MOST_PER_HOUR}回までです。しばらく待ってから行ってください。"
        )
    await connection.execute(
        update(trial_request)
        .where(
            trial_request.c.staff_id == staff_id,
            trial_request.c.account == account,
            trial_request.c.expires_at > at,
        )
        .values(expires_at=at)
    )
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH[channel]))
    await connection.execute(
        insert(trial_request).values(
            code_hash=_hash_of(code),
            staff_id=staff_id,
            account=account,
            channel=channel,
            sealed=keys.seal(plain, _place(code)) if plain else b"",
            asked_at=at,
            expires_at=at + LASTS[channel],
        )
    )
    return code


async def find(
    connection: AsyncConnection, keys: Keys, code: str, channel: str, *, account: str = "", at: int
) -> TrialRequest | None:
    """None when it is no code, over, or not of this channel and (when it is told) account."""
    plain_code = _plain(code)
    if len(plain_code) != LENGTH[channel]:
        return None
    row = (
        await connection.execute(
            select(trial_request).where(
                trial_request.c.code_hash == _hash_of(plain_code),
                trial_request.c.channel == channel,
                trial_request.c.expires_at > at,
            )
        )
    ).one_or_none()
    if row is None or account not in ("", row.account):
        return None
    plain = keys.open(row.sealed, _place(plain_code)) if row.sealed else ""
    return TrialRequest(row.staff_id, row.account, row.channel, plain, row.expires_at)


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
    """The address is a trial address from now on; None when the code is not good, and it serves once.

    `plain` is who sent the code by LINE, `account` to which account. Raises AddressRefused.
    """
    found = await find(connection, keys, code, channel, account=account, at=at)
    if found is None:
        return None
    used = await connection.execute(
        update(trial_request)
        .where(trial_request.c.code_hash == _hash_of(_plain(code)), trial_request.c.expires_at > at)
        .values(expires_at=at)
    )
    if not used.rowcount:
        return None
    await trial_addresses.add(
        connection,
        keys,
        staff_id=found.staff_id,
        account=found.account,
        channel=channel,
        plain=found.plain or plain,
        at=at,
    )
    return found


async def waiting_of(connection: AsyncConnection, staff_id: int, *, at: int) -> list[tuple[str, int]]:
    """(account, until when) of what this member has asked for and nobody has confirmed yet."""
    rows = await connection.execute(
        select(trial_request.c.account, trial_request.c.expires_at)
        .where(trial_request.c.staff_id == staff_id, trial_request.c.expires_at > at)
        .order_by(trial_request.c.account)
    )
    return [(account, int(until)) for account, until in rows]


async def end_all_of(connection: AsyncConnection, staff_id: int) -> None:
    """Nobody can confirm an address for this member any more."""
    await connection.execute(delete(trial_request).where(trial_request.c.staff_id == staff_id))


def _plain(code: str) -> str:
    return "".join(letter for letter in code.lower() if letter.isalnum())


def _hash_of(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _place(code: str) -> str:
    return f"trial_request {_hash_of(code).hex()}"
