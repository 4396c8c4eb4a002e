"""Notes to members of staff go out by a small road of their own, to the addresses that they have confirmed for trials.

A note that nobody needs any more is dropped when its turn comes: somebody else was faster.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY, HOUR, MINUTE
from content.notices import notices, submissions
from content.notices.submissions import REVIEW_WITHIN, SubmissionState
from content.register import trial_addresses
from content.register.trial_addresses import TrialAddress
from content.staff import members, notes
from content.staff.notes import Note, NoteKind
from scheduler.town_context import StaffNote, TownContext

log = structlog.get_logger(__name__)

AT_ONCE = 20
# After an urgent notice that one person sent: at once, before the hour is over, when it is, then each hour.
NAG_AT = (REVIEW_WITHIN - 15 * MINUTE, REVIEW_WITHIN)
NAG_EACH = HOUR
# Whoever has been asked for so long is asked by the page alone.
NAG_UNTIL = DAY
# How a member is told: by the first of these that he has confirmed.
WAYS = ("mail", "line")
# What has to be so still when a note is sent.
STATES = {
    NoteKind.SUBMITTED: SubmissionState.WAITING,
    NoteKind.RETURNED: SubmissionState.RETURNED,
    NoteKind.APPROVED: SubmissionState.APPROVED,
}


async def send_notes(context: TownContext) -> int:
    """Those that are due; how many were looked at. One that did not go out is due again later."""
    if context.send_note is None:
        return 0
    database = context.database
    async with database.read() as connection:
        waiting = await notes.due(connection, database.now(), AT_ONCE)
    for note in waiting:
        async with database.write() as connection:
            claimed = await notes.claim(connection, note, database.now())
        if claimed:
            await _send(context, note)
    return len(waiting)


async def _send(context: TownContext, note: Note) -> None:
    assert context.send_note is not None
    now = context.database.now()
    async with context.database.read() as connection:
        message = await _message(context, connection, note)
    if message is not None:
        try:
            await context.send_note(message)
        except Exception as error:
            log.warning("note_not_sent", note=note.id, error=type(error).__name__)
            if note.tries + 1 < notes.TRIES:
                return
    async with context.database.write() as connection:
        await notes.end(connection, note.id)
        if message is not None and message.until is not None and (due := next_nag(message.until, now)):
            await notes.add(connection, [note.staff_id], note.notice_id, note.kind, due=due)


def next_nag(until: int, now: int) -> int | None:
    """When somebody is asked again to look at an urgent notice by `until`; None for no more."""
    asked_at = until - REVIEW_WITHIN
    due = next((asked_at + after for after in NAG_AT if asked_at + after > now), now + NAG_EACH)
    return due if due <= until + NAG_UNTIL else None


async def _message(context: TownContext, connection: AsyncConnection, note: Note) -> StaffNote | None:
    """None when nobody needs to hear of it any more, or there is no way to tell him."""
    member = await members.get(connection, note.staff_id)
    found = await notices.get(connection, note.notice_id)
    if member is None or found is None:
        return None
    until, remark, by = None, "", ""
    if note.kind == NoteKind.REVIEW:
        review = await submissions.review_of(connection, found.id)
        if review is None or review.reviewed_at is not None:
            return None
        until, by = review.due_at, review.sent_by
    else:
        newest = await submissions.latest(connection, found.id)
        if newest is None or newest.state != STATES[note.kind]:
            return None
        by = newest.submitted_by if note.kind == NoteKind.SUBMITTED else newest.decided_by or ""
        remark = newest.remark
    way = _way(await trial_addresses.of_staff(connection, context.keys, member.id))
    if way is None:
        return None
    return StaffNote(
        id=note.id,
        kind=note.kind,
        channel=way.channel,
        address=way.plain,
        notice_id=found.id,
        title=found.title,
        by=by,
        remark=remark,
        until=until,
        late=until is not None and context.database.now() >= until,
    )


def _way(own: Iterable[TrialAddress]) -> TrialAddress | None:
    by_channel = {item.channel: item for item in own if item.plain}
    return next((by_channel[channel] for channel in WAYS if channel in by_channel), None)
