"""Passkeys (WebAuthn): a key in a member's device that proves itself besides the password, instead of a code.

Only the public half is here. A challenge is made for one session, lasts a few minutes and is used up by the
first answer, right or wrong. A counter that does not grow tells of a copied key, and such a key is refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    LargeBinary,
    Row,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata
from content.staff import challenges
from content.staff.challenges import Asked

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MOST = 10
LONGEST_NAME = 40

staff_passkey = Table(
    "staff_passkey",
    metadata,
    Column("id", Id, primary_key=True),
    Column("staff_id", Id, ForeignKey("staff_member.id"), nullable=False, index=True),
    Column("credential_id", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)


class Added(StrEnum):
    """What became of a passkey that was to be added."""

    ADDED = "added"
    NOT_PROVEN = "not_proven"
    KNOWN = "known"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom the keys are for: the host of the console's address, and that address as browsers write it."""

    id: str
    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class Passkey:
    id: int
    name: str
    added_at: int
    used_at: int | None


async def of_member(connection: AsyncConnection, staff_id: int) -> list[Passkey]:
    """In the order in which they were added."""
    rows = await connection.execute(_of(staff_id).order_by(staff_passkey.c.id))
    return [Passkey(row.id, row.name, row.added_at, row.used_at) for row in rows]


async def with_passkey(connection: AsyncConnection) -> set[int]:
    """The members who have one."""
    return {int(row) for row in await connection.scalars(select(staff_passkey.c.staff_id).distinct())}


async def has_any(connection: AsyncConnection, staff_id: int) -> bool:
    found = await connection.scalar(
        select(staff_passkey.c.id).where(staff_passkey.c.staff_id == staff_id).limit(1)
    )
    return found is not None


async def begin_adding(
    connection: AsyncConnection, asked: Asked, login: str, party: RelyingParty, *, at: int
) -> str:
    """What the browser is asked for, as JSON."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import AuthenticatorSelectionCriteria, ResidentKeyRequirement

    known = (await connection.execute(_of(asked.staff_id))).all()
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=f"staff {asked.staff_id}".encode(),
        user_name=login,
        exclude_credentials=_descriptors(known),
        # The password says who it is: no place in a small key has to be given to that.
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED
        ),
    )
    await challenges.keep(connection, asked, options.challenge, at)
    return options_to_json(options)


async def add(
    connection: AsyncConnection, asked: Asked, party: RelyingParty, credential: str, name: str, *, at: int
) -> Added:
    """The browser's answer: whether it is a new key that answered the challenge of this session."""
    from webauthn import verify_registration_response

    challenge = await challenges.take(connection, asked, at)
    answer = _read(credential)
    if challenge is None or answer is None:
        return Added.NOT_PROVEN
    try:
        made = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
    except _refusals():
        return Added.NOT_PROVEN
    # Held, so that two who add at the same moment are counted.
    count = len((await connection.execute(_of(asked.staff_id).with_for_update())).all())
    if count >= MOST:
        return Added.TOO_MANY
    same = select(staff_passkey.c.id).where(staff_passkey.c.credential_id == made.credential_id)
    if await connection.scalar(same) is not None:
        return Added.KNOWN
    await connection.execute(
        insert(staff_passkey).values(
            staff_id=asked.staff_id,
            credential_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            name=name,
            added_at=at,
        )
    )
    return Added.ADDED


async def begin_check(connection: AsyncConnection, asked: Asked, party: RelyingParty, *, at: int) -> str:
    """What the browser is asked for, as JSON; empty for a member without passkeys."""
    from webauthn import generate_authentication_options, options_to_json

    known = (await connection.execute(_of(asked.staff_id))).all()
    if not known:
        return ""
    options = generate_authentication_options(rp_id=party.id, allow_credentials=_descriptors(known))
    await challenges.keep(connection, asked, options.challenge, at)
    return options_to_json(options)


async def check(
    connection: AsyncConnection, asked: Asked, party: RelyingParty, credential: str, *, at: int
) -> bool:
    """Whether one of the member's keys answered the challenge of this session."""
    from webauthn import verify_authentication_response

    challenge = await challenges.take(connection, asked, at)
    answer = _read(credential)
    key = await _key_of(connection, asked.staff_id, answer) if answer else None
    if challenge is None or answer is None or key is None:
        return False
    try:
        proven = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
        )
    except _refusals():
        return False
    used = await connection.execute(
        update(staff_passkey)
        .where(staff_passkey.c.id == key.id, staff_passkey.c.sign_count == key.sign_count)
        .values(sign_count=proven.new_sign_count, used_at=at)
    )
    return bool(used.rowcount)


async def remove(connection: AsyncConnection, staff_id: int, passkey_id: int) -> str | None:
    """The name of the one that is gone; None when this member has none such."""
    return await connection.scalar(
        delete(staff_passkey)
        .where(staff_passkey.c.id == passkey_id, staff_passkey.c.staff_id == staff_id)
        .returning(staff_passkey.c.name)
    )


async def remove_all(connection: AsyncConnection, staff_id: int) -> None:
    await challenges.forget_those_of(connection, staff_id)
    await connection.execute(delete(staff_passkey).where(staff_passkey.c.staff_id == staff_id))


def _of(staff_id: int) -> Any:
    return select(staff_passkey).where(staff_passkey.c.staff_id == staff_id)


def _descriptors(rows: Sequence[Row[Any]]) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=row.credential_id) for row in rows]


async def _key_of(connection: AsyncConnection, staff_id: int, answer: dict[str, Any]) -> Row[Any] | None:
    from webauthn import base64url_to_bytes

    try:
        credential_id = base64url_to_bytes(str(answer.get("rawId", "")))
    except ValueError:
        return None
    return (
        await connection.execute(_of(staff_id).where(staff_passkey.c.credential_id == credential_id))
    ).one_or_none()


def _read(credential: str) -> dict[str, Any] | None:
    """None for what is no JSON object."""
    try:
        found = json.loads(credential)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refusals() -> tuple[type[Exception], ...]:
    from webauthn.helpers.exceptions import WebAuthnException

    # Beside its own errors the library lets those of its parsers through.
    return WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError
