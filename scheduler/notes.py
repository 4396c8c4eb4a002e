"""Whom a notice waits for is to hear of it, and its writer what became of it: within the transaction of the act."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices import submissions
from content.notices.notices import Notice
from content.notices.states import TargetKind
from content.staff import members, notes
from content.staff.members import Staff
from content.staff.notes import NoteKind
from content.staff.rights import Permission
from scheduler.permits import permission_to_send


async def ask_approvers(connection: AsyncConnection, found: Notice, submitted_by: str, now: int) -> None:
    """Within the transaction that submits it."""
    own = {submitted_by, await submissions.author_of(connection, found.version_id)}
    spec = found.spec
    needed = [permission_to_send(spec)]
    if spec.target.kind == TargetKind.EVERYONE:
        needed.append(Permission.EVERYONE)
    await _add(
        connection,
        found,
        NoteKind.SUBMITTED,
        lambda member: member.login not in own and all(member.may(item, spec.category) for item in needed),
        now,
    )


async def ask_reviewers(connection: AsyncConnection, found: Notice, sent_by: str, now: int) -> None:
    """Within the transaction that lets an urgent notice go on one person's word."""
    may_look = (Permission.APPROVE, Permission.SEND_URGENT)
    await _add(
        connection,
        found,
        NoteKind.REVIEW,
        lambda member: member.login != sent_by and member.may_any(may_look, found.spec.category),
        now,
    )


async def tell_writers(
    connection: AsyncConnection, found: Notice, kind: NoteKind, decided_by: str, now: int
) -> None:
    """Within the transaction that decides: those who wrote or submitted it."""
    newest = await submissions.latest(connection, found.id)
    own = {await submissions.author_of(connection, found.version_id), newest and newest.submitted_by}
    await _add(connection, found, kind, lambda member: member.login in own - {decided_by}, now)


async def _add(
    connection: AsyncConnection, found: Notice, kind: NoteKind, chosen: Callable[[Staff], bool], now: int
) -> None:
    everybody = await members.everybody(connection)
    ids = [member.id for member in everybody if member.disabled_at is None and chosen(member)]
    await notes.add(connection, ids, found.id, kind, due=now)
