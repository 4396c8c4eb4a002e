"""Gathers what the checks need to know of the moment: in a few cheap queries, and from the services outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from content.check_rules import Level
from content.clock import today_jst
from content.ledger.usual import usual_sizes
from content.notices.audience_counts import count_languages
from content.notices.checks.circumstances import Circumstances, Short
from content.notices.checks.contacts import links_of
from content.notices.held_back import HeldBack, count_held_back
from content.notices.notices import NoticeSpec
from content.notices.recent_notices import sent_before
from content.notices.states import NoticeKind
from content.town import Urgency
from scheduler.quota import Allowance, allowances
from scheduler.shortages import Shortage, shortage_words
from scheduler.town_context import TownContext
from scheduler.words import CHANNEL_NAMES

log = structlog.get_logger(__name__)

# Links that are asked; a notice with more of them is a list.
MOST_LINKS = 5
# Seconds in which all links must have answered: a person waits in front of the screen.
LINKS_WAIT = 3.0


async def gather(
    context: TownContext,
    spec: NoticeSpec,
    counts: Mapping[str, int],
    *,
    but_id: int = 0,
    but_key: str = "",
    to_show: bool = True,
) -> tuple[Circumstances, list[Allowance], dict[tuple[str, str], int], dict[str, HeldBack]]:
    """The circumstances, what each limited account may still send, registrations by account and language, and
    those that get it later or not at all.

    Without `to_show` what could only be shown is left out, so that nothing keeps an urgent notice waiting.
    """
    now = context.database.now()
    patient = to_show or spec.urgency != Urgency.URGENT
    links, allowed = await asyncio.gather(
        _ask_links(context, links_of(spec)[:MOST_LINKS]) if patient else _nothing_asked(),
        allowances(context, spec, counts) if patient else _no_limits(),
    )
    async with context.database.read() as connection:
        recent = await sent_before(connection, spec.category, now=now, but_id=but_id, but_key=but_key)
        spoken = (
            await count_languages(
                connection, context.town, spec.target, spec.category, list(counts), today_jst(now)
            )
            if spec.kind == NoticeKind.ORIGINAL
            and (to_show or context.town.checks.level_of("language-missing") not in (None, Level.NOTE))
            else {}
        )
        held_back = await _held_back(connection, context, spec, list(counts), now) if to_show else {}
    languages: dict[str, int] = {}
    for (_, language), number in spoken.items():
        languages[language] = languages.get(language, 0) + number
    around = Circumstances(
        now=now,
        total=sum(counts.values()),
        languages=languages,
        recent=tuple(recent),
        usual=await _usual(context, spec),
        short=tuple(_short(context, short) for item in allowed if (short := item.shortage)),
        links=links,
    )
    return around, allowed, spoken, held_back


async def _held_back(
    connection: AsyncConnection, context: TownContext, spec: NoticeSpec, accounts: list[str], now: int
) -> dict[str, HeldBack]:
    """Nothing of a correction, whose readers stand in the ledger, and of what comes again at other times."""
    if spec.kind != NoticeKind.ORIGINAL or spec.rule is not None:
        return {}
    return await count_held_back(
        connection, context.town, spec.target, spec.category, spec.urgency, accounts, spec.at or now
    )


async def _usual(context: TownContext, spec: NoticeSpec) -> tuple[int, ...]:
    try:
        async with context.database.read() as connection:
            return await usual_sizes(connection, spec.category)
    except DBAPIError as error:
        # A notice can be approved while the ledger is away, and is not kept back for a comparison.
        log.warning("usual_sizes_unknown", error=type(error).__name__)
        return ()


def _short(context: TownContext, item: Shortage) -> Short:
    channel = context.town.account[item.account].channel
    return Short(CHANNEL_NAMES.get(channel, channel), shortage_words(item))


async def _ask_links(context: TownContext, links: Sequence[str]) -> dict[str, str]:
    """All at the same time; what has not answered in time was not asked."""
    asked = {link: asyncio.ensure_future(context.ask_link(link)) for link in links}
    if asked:
        await asyncio.wait(asked.values(), timeout=LINKS_WAIT)
    answers: dict[str, str] = {}
    for link, task in asked.items():
        if not task.done():
            task.cancel()
            answers[link] = "unasked"
        else:
            answers[link] = "unasked" if task.exception() else task.result()
    return answers


async def _nothing_asked() -> dict[str, str]:
    return {}


async def _no_limits() -> list[Allowance]:
    return []
