"""What somebody asks for with a mail address that nothing proves yet: to register, or a way to her settings.

A request is also the letter with the link that proves it. The link is made from the row when the letter is
written, so it stands nowhere; the address is sealed, and the whole row goes when its link has run out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    delete,
    distinct,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY, HOUR, MINUTE
from content.database import Database, Id, metadata, one_of
from content.database.identity import new_salt
from content.keys import Keys
from content.register import subscribers
from content.register.states import Route, SubscriberState
from content.register.subscribers import Subscriber
from content.register.tokens import LONGEST_ID

LETTERS = "letters"


class MailPurpose(StrEnum):
    """What the link is for: to register, or to open the settings of a registration."""

    JOIN = "join"
    SETTINGS = "settings"


LASTS = {MailPurpose.JOIN: 48 * HOUR, MailPurpose.SETTINGS: HOUR}
# An address that somebody else types again and again is not to be flooded by us.
LETTERS_A_DAY = 3
LETTER_EVERY = 2 * MINUTE
# More letters than this waiting to go out is an attack, and nobody waits that long for one.
MOST_WAITING = 2_000
# While the mail server is away: after 3 minutes, 6 more, 9 more, for nearly two hours.
TRIES = 8
TRY_AGAIN = 3 * MINUTE

mail_request = Table(
    "mail_request",
    metadata,
    Column("id", Id, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lookup", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("language", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("salt", BigInteger, nullable=False, default=new_salt),
    Column("asked_at", BigInteger, nullable=False),
    # When its letter may go out; NULL once it has.
    Column("due_at", BigInteger),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("used_at", BigInteger),
    CheckConstraint(one_of("purpose", MailPurpose), name="purpose"),
    Index(None, "account", "lookup", "asked_at"),
    Index(None, "asked_at"),
)
Index(
    "ix_mail_request_due",
    mail_request.c.due_at,
    sqlite_where=text("due_at IS NOT NULL"),
    postgresql_where=text("due_at IS NOT NULL"),
)


class TooManyRequests(Exception):
    """So many letters are waiting that no more is taken."""


@dataclass(frozen=True, slots=True)
class MailRequest:
    id: int
    purpose: MailPurpose
    account: str
    language: str
    route: Route
    asked_at: int
    used_at: int | None
    address: str = field(repr=False)
    token: str = field(repr=False)

    def is_open(self, now: int) -> bool:
        return self.used_at is None and now < self.asked_at + LASTS[self.purpose]


async def ask(
    database: Database, keys: Keys, *, account: str, plain: str, language: str, route: Route, at: int
) -> None:
    """Remember the request of a normalised address; its letter goes out soon.

    Whoever asks learns nothing: not whether the address is registered, nor that it was asked for too often,
    which writes no further letter. Raises TooManyRequests.
    """
    lookups = keys.lookups(account, plain)
    async with database.write(wake=LETTERS) as connection:
        waiting = await connection.scalar(
            select(func.count())
            .select_from(mail_request)
            .where(mail_request.c.due_at.is_not(None), mail_request.c.tries < TRIES)
        )
        if (waiting or 0) >= MOST_WAITING:
            raise TooManyRequests
        lately = (
            await connection.execute(
                select(func.count(), func.max(mail_request.c.asked_at)).where(
                    mail_request.c.account == account,
                    mail_request.c.lookup.in_(lookups),
                    mail_request.c.asked_at > at - DAY,
                )
            )
        ).one()
        if lately[0] >= LETTERS_A_DAY or (lately[1] or 0) > at - LETTER_EVERY:
            return
        known = await subscribers.find(connection, keys, account, "mail", plain)
        found = None if known is None else await subscribers.get(connection, known)
        is_active = found is not None and found.state == SubscriberState.ACTIVE
        new_id = await connection.scalar(
            insert(mail_request)
            .values(
                purpose=MailPurpose.SETTINGS if is_active else MailPurpose.JOIN,
                account=account,
                lookup=lookups[0],
                sealed=b"",
                language=found.preferences.language if found and is_active else language,
                route=route,
                asked_at=at,
                due_at=at,
            )
            .returning(mail_request.c.id)
        )
        assert new_id is not None
        await connection.execute(
            update(mail_request)
            .where(mail_request.c.id == new_id)
            .values(sealed=keys.seal(plain, seal_place(new_id)))
        )


async def claim_letters(database: Database, keys: Keys, *, at: int, most: int) -> list[MailRequest]:
    """Requests whose letters are due; each is due again later, until `letter_sent` says that it went out."""
    async with database.write() as connection:
        due = (
            select(mail_request.c.id)
            .where(mail_request.c.due_at <= at, mail_request.c.tries < TRIES)
            .order_by(mail_request.c.due_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        ids = list(await connection.scalars(due))
        if not ids:
            return []
        rows = await connection.execute(
            update(mail_request)
            .where(mail_request.c.id.in_(ids))
            .values(
                due_at=literal(at, BigInteger) + literal(TRY_AGAIN, BigInteger) * (mail_request.c.tries + 1),
                tries=mail_request.c.tries + 1,
            )
            .returning(mail_request)
        )
        return [_read(row, keys) for row in rows]


async def letter_sent(connection: AsyncConnection, request_id: int) -> None:
    await connection.execute(update(mail_request).where(mail_request.c.id == request_id).values(due_at=None))


async def find(
    connection: AsyncConnection, keys: Keys, purpose: MailPurpose, token: str
) -> MailRequest | None:
    """The request that a link belongs to; None when it never was one of ours, or is forgotten."""
    number = token.rpartition(".")[0]
    if not number.isascii() or not number.isdigit() or len(number) > LONGEST_ID:
        return None
    row = (
        await connection.execute(
            select(mail_request).where(mail_request.c.id == int(number), mail_request.c.purpose == purpose)
        )
    ).one_or_none()
    if row is None or not keys.verify(purpose, token, row.salt):
        return None
    return _read(row, keys)


async def registration_of(connection: AsyncConnection, keys: Keys, request: MailRequest) -> Subscriber | None:
    """The active registration of its address."""
    known = await subscribers.find(connection, keys, request.account, "mail", request.address)
    found = None if known is None else await subscribers.get(connection, known)
    return found if found and found.state == SubscriberState.ACTIVE else None


async def use(connection: AsyncConnection, request: MailRequest, at: int) -> bool:
    """Once only; False when it was used already or has run out."""
    changed = await connection.execute(
        update(mail_request)
        .where(
            mail_request.c.id == request.id,
            mail_request.c.used_at.is_(None),
            mail_request.c.asked_at > at - LASTS[request.purpose],
        )
        .values(used_at=at, due_at=None)
    )
    return bool(changed.rowcount)


async def forget_old(connection: AsyncConnection, now: int) -> None:
    """Whatever nobody confirmed goes with its address as soon as the link has run out."""
    await connection.execute(delete(mail_request).where(mail_request.c.asked_at <= now - max(LASTS.values())))


def _read(row: Row[Any], keys: Keys) -> MailRequest:
    purpose = MailPurpose(row.purpose)
    return MailRequest(
        id=row.id,
        purpose=purpose,
        account=row.account,
        language=row.language,
        route=Route(row.route),
        asked_at=row.asked_at,
        used_at=row.used_at,
        address=keys.open(row.sealed, seal_place(row.id)),
        token=keys.sign(purpose, str(row.id), row.salt),
    )


def seal_place(request_id: int) -> str:
    return f"mail request {request_id}"


async def count_unconfirmed(connection: AsyncConnection, account: str, now: int) -> int:
    """Addresses that asked to be registered, whose letter can still be answered, and that did not answer yet."""
    begun = now - LASTS[MailPurpose.JOIN]
    return int(
        await connection.scalar(
            select(func.count(distinct(mail_request.c.lookup))).where(
                mail_request.c.purpose == MailPurpose.JOIN,
                mail_request.c.account == account,
                mail_request.c.used_at.is_(None),
                mail_request.c.asked_at > begun,
            )
        )
        or 0
    )
