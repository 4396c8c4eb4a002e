"""What approving a draft would do: whom it reaches, and how it looks."""

from __future__ import annotations

from dataclasses import dataclass

from channels.preview import Preview
from content.clock import today_jst
from content.ledger import reached
from content.notices import chains, notices
from content.notices.audience_counts import count_audience
from content.notices.notices import Notice, NoticeSpec
from content.notices.segments import NobodyMatches
from content.notices.states import NoticeKind
from scheduler.checks import NoticeRefused, Problem
from scheduler.town_context import (
    TownContext,
    chosen_accounts,
    goes_by_broadcast,
    spec_announcement,
    spoken_languages,
)


@dataclass(frozen=True, slots=True)
class Impact:
    """What approving would do on one account: how many active registrations, and how it looks."""

    account: str
    channel: str
    count: int
    broadcast: bool
    previews: tuple[Preview, ...]


async def measure_impact(context: TownContext, spec: NoticeSpec, notice_id: int = 0) -> list[Impact]:
    """Who would get a draft that has no problems, if it went out now. Raises NoticeRefused."""
    if spec.kind != NoticeKind.ORIGINAL and spec.corrects is not None:
        return await _measure_follow_up(context, spec, spec.corrects, notice_id)
    accounts = chosen_accounts(context, spec)
    try:
        counts = await count_audience(
            context.database, context.town, spec.target, spec.category, list(accounts), today_jst()
        )
    except NobodyMatches as error:
        raise NoticeRefused([Problem(error.field, str(error))]) from error
    impacts = []
    for key, channel in accounts.items():
        broadcast = goes_by_broadcast(context, spec, key)
        previews = _previews(context, spec, notice_id, key)
        # What is posted has one recipient, the account.
        count = 1 if context.town.account[key].posts else counts[key]
        impacts.append(Impact(key, channel, count, broadcast, previews))
    return impacts


async def _measure_follow_up(
    context: TownContext, spec: NoticeSpec, corrects: int, notice_id: int
) -> list[Impact]:
    """A correction or withdrawal: those whom the beginning of its chain reached and who are still registered."""
    impacts = []
    async with context.database.read() as connection:
        corrected = await notices.get(connection, corrects)
        root = await chains.root_of(connection, corrects)
        for delivery_id, key, channel in await reached.deliveries_of(connection, root):
            if channel not in spec.channels or key not in context.town.account:
                continue
            if context.town.account[key].posts:
                count = int((await reached.reach_of_post(connection, delivery_id, kind=spec.kind)).meant)
            else:
                count = await reached.count_reached(connection, delivery_id, key, kind=spec.kind)
            broadcast = goes_by_broadcast(context, spec, key) and await reached.went_by_broadcast(
                connection, delivery_id
            )
            previews = _previews(context, spec, notice_id, key, corrected)
            impacts.append(Impact(key, channel, count, broadcast, previews))
    return impacts


def _previews(
    context: TownContext, spec: NoticeSpec, notice_id: int, account: str, corrected: Notice | None = None
) -> tuple[Preview, ...]:
    announced = spec_announcement(context, spec, notice_id=notice_id, corrected=corrected)
    about = context.town.account[account]
    channel = context.channel_of(about)
    return tuple(channel.preview(announced, language) for language in spoken_languages(about, announced))
