"""What a notice that is being written would do: how many, which districts have nobody, and how it will look."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.console.form import CHOSEN, NoticeForm, to_spec
from bot.service import Service
from channels.preview import Preview
from content.clock import today_jst
from content.notices.audience_counts import areas_with_somebody, count_audience
from content.notices.notices import NoticeSpec
from content.notices.segments import NobodyMatches
from scheduler import checks
from scheduler.impact import measure_impact
from scheduler.town_context import chosen_accounts

WORDS = ("title", "body")


@dataclass(frozen=True, slots=True)
class Look:
    """`counts` is (channel, registrations); `missing` says why there is no count or no preview yet."""

    counts: tuple[tuple[str, int], ...] = ()
    target: str = ""
    empty_areas: tuple[str, ...] = ()
    previews: tuple[tuple[str, Preview], ...] = ()
    missing: str = ""
    unseen: str = ""

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counts)


async def look_at(service: Service, form: NoticeForm) -> Look:
    """Nothing is stored and nothing refused: what cannot be told yet is said in words."""
    town, spec = service.town, to_spec(service.town, form)
    if not form.category:
        return Look(missing="分野を選ぶと、宛先の数が分かります。")
    if form.target == CHOSEN and not form.chosen:
        return Look(missing="地区などに印を付けると、宛先の数が分かります。")
    try:
        accounts = chosen_accounts(service.context, spec)
        counts = await count_audience(
            service.database, town, spec.target, spec.category, list(accounts), today_jst()
        )
    except NobodyMatches as error:
        return Look(missing=str(error))
    except KeyError:
        return Look(missing="宛先を選ぶと、数が分かります。")
    empty = await empty_areas(service, form.chosen.areas if form.target == CHOSEN else (), form.category)
    previews, unseen = await _previews(service, spec)
    return Look(
        # What is posted has one recipient, the account.
        tuple(
            (channel, 1 if town.account[account].posts else counts[account])
            for account, channel in accounts.items()
        ),
        spec.target.describe(town, spec.category),
        empty,
        previews,
        unseen=unseen,
    )


async def empty_areas(service: Service, areas: tuple[str, ...], category: str) -> tuple[str, ...]:
    """The names of the districts that nobody who chose the category has named."""
    if not areas:
        return ()
    town, today = service.town, today_jst()
    meant = {key: town.reach("area", key, today) for key in areas if key in town.area}
    asked = sorted({one for keys in meant.values() for one in keys})
    async with service.database.read() as connection:
        found = await areas_with_somebody(connection, asked, town.reach("category", category, today))
    return tuple(town.area[key].name() for key, keys in meant.items() if found.isdisjoint(keys))


async def _previews(service: Service, spec: NoticeSpec) -> tuple[tuple[tuple[str, Preview], ...], str]:
    # The first rendering for LINE imports its SDK (over a second), so not on the event loop.
    problems = await asyncio.to_thread(checks.find_problems, service.context, spec)
    wrong = [
        item
        for item in problems
        if item.field in (*WORDS, "urgency", "channels", "mode", "category", "pictures")
    ]
    if wrong:
        return (), f"見え方は、文が書けると出ます({wrong[0].message})"
    impacts = await measure_impact(service.context, spec)
    return tuple((item.channel, preview) for item in impacts for preview in item.previews), ""
