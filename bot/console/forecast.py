"""What approving a draft would do now: who really gets it, who does not and why, how long it takes, what is asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import ceil

from bot.console.access import StaffRequest
from bot.console.look import empty_areas
from bot.console.offered import Offer, offers
from bot.console.words import MORE_QUOTA, account_words, language_words, reason_words
from content.check_rules import Level
from content.ledger.usual import FAIR, last_pace
from content.notices.checks.examine import open_questions
from content.notices.checks.finding import Finding
from content.notices.held_back import HeldBack
from content.notices.notices import Notice, NoticeSpec
from content.notices.segments import areas_of
from content.town import Urgency
from scheduler.checks import Problem
from scheduler.examination import Examination, examine_notice
from scheduler.impact import Impact
from scheduler.quota import Allowance
from scheduler.shortages import shortage_words

NOBODY = HeldBack()
# The page says these at a place of their own.
SAID_ELSEWHERE = frozenset({"everyone", "nobody", "quota"})


@dataclass(frozen=True, slots=True)
class Row:
    """One way out: how many are meant, how many of them it will really go to, and what the month allows."""

    name: str
    channel: str
    meant: int
    goes: int
    why_not: str = ""
    figures: str = ""
    metered: bool = False
    allowance: Allowance | None = None
    languages: tuple[tuple[str, int], ...] = ()
    held_back: HeldBack = NOBODY


@dataclass(frozen=True, slots=True)
class Forecast:
    """What approving would do now, or why it cannot be done."""

    examined: Examination
    spec: NoticeSpec
    problems: tuple[Problem, ...] = ()
    rows: tuple[Row, ...] = ()
    seconds: int | None = None
    offers: tuple[Offer, ...] = ()
    empty_areas: tuple[str, ...] = ()

    @property
    def impacts(self) -> tuple[Impact, ...]:
        return self.examined.impacts

    @property
    def sendable(self) -> int:
        """How many would be sent to: an account that cannot reach everyone reaches nobody."""
        return sum(row.goes for row in self.rows)

    @property
    def total(self) -> int:
        return self.examined.total

    @property
    def broadcasts(self) -> bool:
        return any(item.broadcast for item in self.impacts)

    @property
    def short(self) -> list[Row]:
        return [row for row in self.rows if row.allowance and row.allowance.shortage]

    @property
    def reaches_nobody(self) -> bool:
        # At a scheduled time there may be registrations, so only sending at once is refused.
        return self.total == 0 and self.spec.at is None and self.spec.rule is None

    @property
    def questions(self) -> list[Finding]:
        """What takes a tick of its own."""
        return [item for item in open_questions(self.examined.findings, ()) if item.code != "everyone"]

    @property
    def notes(self) -> list[Finding]:
        return [
            item
            for item in self.examined.findings
            if item.level == Level.NOTE and item.code not in SAID_ELSEWHERE and item not in self.unsaid
        ]

    @property
    def unsaid(self) -> list[Finding]:
        """Languages without a text that somebody in danger reads: said before everything else."""
        urgent = self.spec.urgency == Urgency.URGENT
        return [item for item in self.examined.findings if urgent and item.code == "language-missing"]

    @property
    def duration(self) -> str:
        """The time until the last of them, in words; "" when nothing is known about it."""
        if self.seconds is None:
            return ""
        return f"約{self.seconds}秒" if self.seconds < 90 else f"約{ceil(self.seconds / 60)}分"

    def unanswered(self, accepted: Collection[str]) -> list[Finding]:
        return open_questions(self.examined.findings, accepted)


async def look_ahead(staff_request: StaffRequest, found: Notice) -> Forecast:
    context, spec = staff_request.service.context, found.spec
    examined = await examine_notice(context, spec, notice_id=found.id)
    if examined.blocking:
        problems = [
            Problem(item.field, item.message + item.remedy, item.language, item.code)
            for item in examined.blocking
        ]
        return Forecast(examined, spec, tuple(problems))
    rows = tuple(_row(staff_request, examined, impact) for impact in examined.impacts)
    forecast = Forecast(examined, spec, (), rows, await _seconds(staff_request, rows, examined))
    # At a scheduled time another month may have begun, so only sending at once is refused.
    if forecast.short and not forecast.sendable and spec.at is None:
        return Forecast(examined, spec, tuple(_as_problem(row) for row in forecast.short), rows)
    missing = [item.language for item in examined.findings if item.code == "language-missing"]
    return replace(
        forecast,
        offers=offers(staff_request.service.town, spec, missing),
        empty_areas=await empty_areas(
            staff_request.service, areas_of(staff_request.service.town, spec.target), spec.category
        ),
    )


def _row(staff_request: StaffRequest, examined: Examination, impact: Impact) -> Row:
    town = staff_request.service.town
    allowance = next((item for item in examined.allowances if item.account == impact.account), None)
    shortage = allowance.shortage if allowance else None
    outage = next((item for item in staff_request.outages if item.account == impact.account), None)
    why_not = ""
    if shortage:
        why_not = "今月の通数が足りないため、だれにも送りません。"
    elif outage:
        why_not = f"いまは送れません({reason_words(outage.reason)[0]})。直りしだい送ります。"
    spoken = {
        language: number
        for (account, language), number in examined.spoken.items()
        if account == impact.account
    }
    order = {tag: place for place, tag in enumerate(town.languages)}
    return Row(
        name=account_words(town, impact.account),
        channel=impact.channel,
        meant=impact.count,
        goes=0 if shortage else impact.count,
        why_not=why_not,
        figures=shortage_words(shortage) if shortage else "",
        metered=staff_request.service.context.channel_of(town.account[impact.account]).metered,
        allowance=allowance,
        languages=tuple(
            (language_words(language), number)
            for language, number in sorted(spoken.items(), key=lambda pair: order.get(pair[0], len(order)))
        ),
        held_back=examined.held_back.get(impact.account, NOBODY),
    )


async def _seconds(staff_request: StaffRequest, rows: tuple[Row, ...], examined: Examination) -> int | None:
    """Until the last of them is accepted: by the rate of the account, or by how fast it was the last time."""
    context = staff_request.service.context
    longest: float = 0
    for row, impact in zip(rows, examined.impacts, strict=True):
        if not row.goes:
            continue
        channel = context.channel_of(context.town.account[impact.account])
        async with context.database.read() as connection:
            pace = await last_pace(connection, impact.account)
        if channel.rate:
            pace = min(pace or channel.rate * channel.batch_size, channel.rate * channel.batch_size)
        if pace is None:
            if row.goes < FAIR:
                continue
            return None
        longest = max(longest, row.goes / pace)
    return max(1, ceil(longest)) if longest else None


def _as_problem(row: Row) -> Problem:
    return Problem("channels", f"{row.name}では送れません。{row.figures}{MORE_QUOTA}")
