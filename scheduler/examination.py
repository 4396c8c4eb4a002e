"""One look at a notice before it goes: what is wrong, what is doubtful, whom it reaches and what that takes.

Console, command line and machine interface all come through here; `require_yes` is what stops them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from content.check_rules import Level
from content.notices.checks.examine import examine, open_questions
from content.notices.checks.finding import Finding
from content.notices.held_back import HeldBack
from content.notices.notices import NoticeSpec
from scheduler.checks import NoticeRefused, Problem, find_problems
from scheduler.impact import Impact, measure_impact
from scheduler.town_context import TownContext

if TYPE_CHECKING:
    from scheduler.quota import Allowance


@dataclass(frozen=True, slots=True)
class Examination:
    """`spoken`: registrations by account and language; `held_back`: by account those who get it later or not, as
    they paused. Without impacts the draft cannot be used at all."""

    findings: tuple[Finding, ...]
    impacts: tuple[Impact, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    spoken: dict[tuple[str, str], int] = field(default_factory=dict)
    held_back: dict[str, HeldBack] = field(default_factory=dict)

    @property
    def blocking(self) -> list[Finding]:
        return [item for item in self.findings if item.level == Level.BLOCKING]

    @property
    def total(self) -> int:
        return sum(item.count for item in self.impacts)


class NoticeQuestioned(NoticeRefused):
    """Nothing was changed: these findings take an explicit yes, `accepted` by their codes."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__([_problem(item) for item in findings])
        self.findings = findings


async def examine_notice(
    context: TownContext, spec: NoticeSpec, *, notice_id: int = 0, but_key: str = "", to_show: bool = True
) -> Examination:
    """`to_show` False: only what can stop the notice, as fast as that can be known."""
    # Here, since to show a notice takes nothing of it.
    from scheduler.circumstances import gather

    # The first rendering for LINE imports its SDK (over a second), so not on the event loop.
    problems = await asyncio.to_thread(find_problems, context, spec)
    if problems:
        return Examination(tuple(map(_finding, problems)))
    try:
        impacts = await measure_impact(context, spec, notice_id)
    except NoticeRefused as refused:
        return Examination(tuple(map(_finding, refused.problems)))
    counts = {item.account: item.count for item in impacts}
    around, allowed, spoken, held_back = await gather(
        context, spec, counts, but_id=notice_id, but_key=but_key, to_show=to_show
    )
    findings = examine(spec, context.town, around)
    return Examination(tuple(findings), tuple(impacts), tuple(allowed), spoken, held_back)


def require_yes(examined: Examination, accepted: Collection[str]) -> list[str]:
    """The codes that were asked about and accepted, for the audit trail. Raises NoticeRefused, NoticeQuestioned."""
    # Nobody there is only shown while it is written, and a reason not to send.
    stops = [item for item in examined.findings if item.level == Level.BLOCKING or item.code == "nobody"]
    if stops:
        raise NoticeRefused([_problem(item) for item in stops])
    unanswered = open_questions(examined.findings, accepted)
    if unanswered:
        raise NoticeQuestioned(unanswered)
    return sorted({item.code for item in examined.findings if item.level == Level.WARNING})


def _problem(item: Finding) -> Problem:
    return Problem(item.field, item.message + item.remedy, item.language, item.code)


def _finding(item: Problem) -> Finding:
    return Finding(item.code, item.field, item.message, "", item.language, Level.BLOCKING)
