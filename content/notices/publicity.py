"""Who may read a notice beside those who are sent it: the one place that decides about its public page.

Closed follows the audience: what a closed group is told stays with the group, also when a segment leads to
it. That is decided by the town of today and written down when the notice fires, so a later change
of the profile opens nothing that was closed.
"""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices import notices
from content.notices.chosen import read_rules, write_rules
from content.notices.notices import Notice, notice
from content.notices.segments import Target
from content.notices.states import TargetKind, TrialKind, TriggerState
from content.town import Mode, Town


def is_closed(town: Town, target: Target) -> bool:
    """Whether a target leads to a closed circle. A segment that nobody knows any more counts as one."""
    match target.kind:
        case TargetKind.SUBSCRIBED | TargetKind.EVERYONE:
            return False
        case TrialKind.ONESELF:
            # As what is tried: written down when the trial was made.
            return False
        case TargetKind.SEGMENT:
            rules = read_rules(target.key)
            if rules is None and target.key in town.segment:
                rules = town.segment[target.key].rules
            return not rules or any(rule.field == "group" for rule in rules)
    return True


def may_have_page(town: Town, found: Notice) -> bool:
    """Whether a notice has a public page, from the moment it goes out."""
    return not found.closed and not is_closed(town, found.aim)


def is_public(town: Town, found: Notice) -> bool:
    """Whether everybody may read it now, at its address."""
    return found.trigger_state == TriggerState.FIRED and may_have_page(town, found)


def has_ended(found: Notice, now: int) -> bool:
    """掲載終了: whether the time is over until which it is to be read."""
    return found.spec.expires is not None and found.spec.expires <= now


def is_listed(town: Town, found: Notice, now: int) -> bool:
    """Whether lists, feeds and search engines may lead to it: a drill must not be found in an emergency, and
    what has ended must not be taken for news."""
    return is_public(town, found) and found.spec.mode == Mode.LIVE and not has_ended(found, now)


async def write_down(connection: AsyncConnection, town: Town, found: Notice) -> None:
    """In the transaction that fires the notice. What speaks to the readers of a closed one is closed too.

    Also the rules of its segment, so that a change of the segment does not split a fan-out.
    """
    target = found.spec.target
    if target.kind == TargetKind.SEGMENT and target.key in town.segment:
        rules = write_rules(town.segment[target.key].rules)
        await connection.execute(update(notice).where(notice.c.id == found.id).values(target_rules=rules))
    original = await notices.get(connection, found.spec.corrects) if found.spec.corrects else None
    if is_closed(town, found.spec.target) or (original is not None and not may_have_page(town, original)):
        await connection.execute(update(notice).where(notice.c.id == found.id).values(closed=True))
