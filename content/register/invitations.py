"""Invitation codes (招待コード): how a resident joins a group, registered already or not.

A code is kept as its hash and shown once. Wrong codes are counted by registration and day.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import zip_longest

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import today_jst
from content.database import Id, insert_unless_known, metadata
from content.register.memberships import add_member
from content.register.states import Route, SubscriberState
from content.register.subscribers import require

# Without what is taken for one another: 59 bits in three groups of four.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LENGTH = 12
# What keyboards offer for one, also the long vowel of kana.
HYPHENS = re.compile("[-\u2010-\u2015\u2212\u30fc\uff0d]")
TRIES_A_DAY = 10
MOST_CODES = 200
MOST_USES = 5000

invitation_code = Table(
    "invitation_code",
    metadata,
    Column("id", Id, primary_key=True),
    Column("group_key", Text, nullable=False),
    Column("code_hash", LargeBinary(32), nullable=False, unique=True),
    # Its last letters, to tell one from another on the screen.
    Column("hint", Text, nullable=False),
    # To whom it was handed: a shop, an office, a post, never the name of a person.
    Column("label", Text, nullable=False, server_default=""),
    Column("most", Integer, nullable=False),
    Column("used", Integer, nullable=False, server_default="0"),
    Column("expires_at", BigInteger, nullable=False),
    # The last day (YYYY-MM-DD) of whoever joins by it; "" for without an end.
    Column("member_until", Text, nullable=False, server_default=""),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Index(None, "group_key"),
)

invitation_try = Table(
    "invitation_try",
    metadata,
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("day", Text, nullable=False),
    Column("wrong", Integer, nullable=False),
)


class JoinOutcome(StrEnum):
    """`wrong` also of a code that is used up, over or closed: who guesses learns nothing."""

    JOINED = "joined"
    ALREADY = "already"
    WRONG = "wrong"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class Join:
    outcome: JoinOutcome
    group: str = ""


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code as the screen shows it: never the code itself."""

    id: int
    hint: str
    label: str
    most: int
    used: int
    expires_at: int
    member_until: date | None
    closed: bool


def as_typed(code: str) -> str:
    """However it was written: small, wide, with any hyphens or with spaces."""
    code = HYPHENS.sub("-", code)
    return "".join(letter for letter in unicodedata.normalize("NFKC", code).upper() if letter.isalnum())


def looks_like_code(text: str) -> bool:
    """A long word is none: a code has hyphens or digits."""
    plain = as_typed(text)
    is_written_as_one = HYPHENS.search(text) is not None or any(letter.isdigit() for letter in plain)
    fits = len(plain) == LENGTH and len(text) <= 2 * LENGTH and set(plain) <= set(ALPHABET)
    return fits and is_written_as_one


async def make_codes(
    connection: AsyncConnection,
    group: str,
    *,
    number: int,
    labels: Sequence[str] = (),
    most: int,
    expires_at: int,
    member_until: date | None,
    staff: str,
    at: int,
) -> list[str]:
    """So many codes, each for `most` registrations; to be shown once. `labels` belong to the first of them."""
    if not (1 <= number <= MOST_CODES and 1 <= most <= MOST_USES):
        raise ValueError(f"{number} codes for {most} registrations")
    codes = [_new_code() for _ in range(number)]
    await connection.execute(
        insert(invitation_code),
        [
            {
                "group_key": group,
                "code_hash": _hash(code),
                "hint": code[-4:],
                "label": label,
                "most": most,
                "expires_at": expires_at,
                "member_until": member_until.isoformat() if member_until else "",
                "made_by": staff,
                "made_at": at,
            }
            for code, label in zip_longest(codes, labels[:number], fillvalue="")
        ],
    )
    return codes


async def join_by_code(
    connection: AsyncConnection,
    subscriber_id: int,
    code: str,
    known: Collection[str],
    *,
    route: Route,
    at: int,
) -> Join:
    """Become a member of the group of this code, one of the `known` ones. Never raises for a wrong one, since
    the try has to be counted in this transaction."""
    found = await require(connection, subscriber_id)
    today = today_jst(at).isoformat()
    wrong = await connection.scalar(
        select(invitation_try.c.wrong).where(
            invitation_try.c.subscriber_id == subscriber_id, invitation_try.c.day == today
        )
    )
    if (wrong or 0) >= TRIES_A_DAY:
        return Join(JoinOutcome.TOO_MANY)
    good = (
        invitation_code.c.code_hash == _hash(code),
        invitation_code.c.group_key.in_(known),
        invitation_code.c.used < invitation_code.c.most,
        invitation_code.c.expires_at > at,
        invitation_code.c.closed_at.is_(None),
    )
    group = await connection.scalar(select(invitation_code.c.group_key).where(*good))
    if group in found.preferences.groups:
        return Join(JoinOutcome.ALREADY, group or "")
    row = None
    if group is not None and found.state == SubscriberState.ACTIVE:
        row = (
            await connection.execute(
                update(invitation_code)
                .where(*good)
                .values(used=invitation_code.c.used + 1)
                .returning(invitation_code.c.group_key, invitation_code.c.member_until, invitation_code.c.id)
            )
        ).one_or_none()
    if row is None:
        await _count_try(connection, subscriber_id, today)
        return Join(JoinOutcome.WRONG)
    until = date.fromisoformat(row.member_until) if row.member_until else None
    await add_member(
        connection, row.group_key, subscriber_id, until=until, code_id=row.id, route=route, at=at
    )
    return Join(JoinOutcome.JOINED, row.group_key)


async def invitations_of(connection: AsyncConnection, group: str) -> list[Invitation]:
    """The newest first."""
    rows = await connection.execute(
        select(invitation_code)
        .where(invitation_code.c.group_key == group)
        .order_by(invitation_code.c.id.desc())
        .limit(MOST_CODES)
    )
    return [
        Invitation(
            row.id,
            row.hint,
            row.label,
            row.most,
            row.used,
            row.expires_at,
            date.fromisoformat(row.member_until) if row.member_until else None,
            row.closed_at is not None,
        )
        for row in rows
    ]


async def close_code(connection: AsyncConnection, group: str, code_id: int, *, at: int) -> bool:
    closed = await connection.execute(
        update(invitation_code)
        .where(
            invitation_code.c.id == code_id,
            invitation_code.c.group_key == group,
            invitation_code.c.closed_at.is_(None),
        )
        .values(closed_at=at)
    )
    return bool(closed.rowcount)


async def _count_try(connection: AsyncConnection, subscriber_id: int, today: str) -> None:
    added = insert_unless_known(connection, invitation_try).values(
        subscriber_id=subscriber_id, day=today, wrong=1
    )
    again = func.coalesce(
        select(invitation_try.c.wrong)
        .where(invitation_try.c.subscriber_id == subscriber_id, invitation_try.c.day == today)
        .scalar_subquery(),
        0,
    )
    await connection.execute(
        added.on_conflict_do_update(index_elements=["subscriber_id"], set_={"day": today, "wrong": again + 1})
    )


def _new_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(letters[place : place + 4] for place in range(0, LENGTH, 4))


def _hash(code: str) -> bytes:
    return hashlib.sha256(as_typed(code).encode()).digest()
