"""The checks (点検): one pure function over notice, town and circumstances.

Console, command line and machines ask the same one, when a draft is stored and again when it is approved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from content.check_rules import Level
from content.notices.checks.aim import check_aim
from content.notices.checks.attached import check_attached
from content.notices.checks.circumstances import Circumstances, check_circumstances
from content.notices.checks.contacts import check_contacts
from content.notices.checks.dates import check_dates
from content.notices.checks.finding import Finding
from content.notices.checks.placeholders import check_placeholders
from content.notices.checks.practice import check_practice
from content.notices.checks.terms import check_abolished, check_confusables, check_levels
from content.notices.checks.texts import check_presence, check_substance
from content.notices.checks.urgent_words import check_urgent_words
from content.notices.notices import NoticeSpec
from content.notices.states import NoticeKind
from content.town import Town, Urgency

_ORDER = tuple(Level)


def examine(spec: NoticeSpec, town: Town, around: Circumstances) -> list[Finding]:
    """Everything doubtful, the gravest first; a finding has the level that the town gave it."""
    found = [
        *examine_words(spec, town, around.now),
        *levelled(spec, town, check_circumstances(spec, town, around)),
    ]
    return sorted(found, key=lambda item: _ORDER.index(item.level))


def examine_words(spec: NoticeSpec, town: Town, now: int) -> list[Finding]:
    """What the words and choices alone tell."""
    presence = list(check_presence(spec))
    if presence:
        return levelled(spec, town, (*presence, *check_attached(spec)))
    rules = town.checks
    return levelled(
        spec,
        town,
        (
            *check_substance(spec),
            *check_placeholders(spec),
            *check_abolished(spec, rules),
            *check_levels(spec),
            *check_confusables(spec, rules),
            *check_practice(spec),
            # Whom a correction goes to stands in the ledger.
            *(check_aim(spec, town) if spec.kind == NoticeKind.ORIGINAL else ()),
            *check_dates(spec, now),
            *check_contacts(spec),
            *check_attached(spec),
            *check_urgent_words(spec, town),
        ),
    )


def open_questions(findings: Iterable[Finding], accepted: Collection[str]) -> list[Finding]:
    """What still needs an explicit yes."""
    return [item for item in findings if item.level == Level.WARNING and item.code not in accepted]


def levelled(spec: NoticeSpec, town: Town, findings: Iterable[Finding]) -> list[Finding]:
    """With the levels of the town, without what it has turned off, and each of them once."""
    kept: dict[Finding, None] = {}
    for item in findings:
        level = town.checks.level_of(item.code)
        if level == Level.WARNING and spec.urgency == Urgency.URGENT and item.urgent_level is not None:
            level = item.urgent_level
        if level is not None:
            kept[replace(item, level=level)] = None
    return list(kept)
