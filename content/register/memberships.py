"""Memberships (会員): who belongs to a group, since when and until when.

Who belongs to one stands among the preferences, where audiences are read from; the dates stand beside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import column, delete, exists, insert, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from content.register.imports import has_come_in
from content.register.states import Route
from content.register.subscriber_changes import alter_preferences
from content.register.subscribers import membership, preference, require, subscriber

JOINED = "invited"
REMOVED = "group"
ENDED = "membership_over"

# The table of the codes stands above this file.
_CODE = table("invitation_code", column("id"), column("label"), column("hint"))


@dataclass(frozen=True, slots=True)
class Member:
    """`since` is None for members from before it was written down, `until` for those without an end. `code` is to whom
    her invitation code was handed, or its last letters; "" for any other way in."""

    number: int
    account: str
    since: int | None
    until: date | None
    code: str = ""


async def add_member(
    connection: AsyncConnection,
    group: str,
    subscriber_id: int,
    *,
    until: date | None = None,
    code_id: int | None = None,
    reason: str = JOINED,
    route: Route,
    at: int,
) -> bool:
    """False when it belongs to the group already."""
    before = await require(connection, subscriber_id)
    if group in before.preferences.groups:
        return False
    await alter_preferences(
        connection,
        subscriber_id,
        lambda chosen: replace(chosen, groups=chosen.groups | {group}),
        reason=reason,
        at=at,
        route=route,
    )
    this = (membership.c.group_key == group, membership.c.subscriber_id == subscriber_id)
    await connection.execute(delete(membership).where(*this))
    await connection.execute(
        insert(membership).values(
            group_key=group,
            subscriber_id=subscriber_id,
            since=at,
            until=until.isoformat() if until else "",
            code_id=code_id,
        )
    )
    return True


async def remove_member(
    connection: AsyncConnection,
    group: str,
    subscriber_id: int,
    *,
    reason: str = REMOVED,
    route: Route,
    at: int,
) -> bool:
    """False when it did not belong to the group."""
    before = await require(connection, subscriber_id)
    if group not in before.preferences.groups:
        return False
    await alter_preferences(
        connection,
        subscriber_id,
        lambda chosen: replace(chosen, groups=chosen.groups - {group}),
        reason=reason,
        at=at,
        route=route,
    )
    this = (membership.c.group_key == group, membership.c.subscriber_id == subscriber_id)
    await connection.execute(delete(membership).where(*this))
    return True


async def members_of(connection: AsyncConnection, group: str) -> list[Member]:
    """The active ones, by number."""
    rows = await connection.execute(
        select(
            subscriber.c.id,
            subscriber.c.account,
            membership.c.since,
            membership.c.until,
            _CODE.c.label,
            _CODE.c.hint,
        )
        .join(preference, preference.c.subscriber_id == subscriber.c.id)
        .outerjoin(
            membership,
            (membership.c.subscriber_id == subscriber.c.id) & (membership.c.group_key == group),
        )
        .outerjoin(_CODE, _CODE.c.id == membership.c.code_id)
        .where(
            preference.c.kind == "group",
            preference.c.value == group,
            preference.c.active,
            has_come_in(subscriber.c.id),
        )
        .order_by(subscriber.c.id)
    )
    return [
        Member(
            row.id,
            row.account,
            row.since,
            date.fromisoformat(row.until) if row.until else None,
            row.label or row.hint or "",
        )
        for row in rows
    ]


async def due_to_end(connection: AsyncConnection, today: date) -> list[tuple[str, int]]:
    """(group, subscriber) of memberships whose last day is over."""
    is_member = exists().where(
        preference.c.kind == "group",
        preference.c.value == membership.c.group_key,
        preference.c.subscriber_id == membership.c.subscriber_id,
    )
    rows = await connection.execute(
        select(membership.c.group_key, membership.c.subscriber_id)
        .where(membership.c.until != "", membership.c.until < today.isoformat(), is_member)
        .order_by(membership.c.group_key, membership.c.subscriber_id)
    )
    return [(str(group), int(number)) for group, number in rows]
