"""What the checks say about a notice, on the command line: refused, to be accepted, or only shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from bot.commands.common import NOBODY, USAGE, fail, print_json, talk
from content.check_rules import CHECKS, Level
from content.notices.checks.finding import Finding
from scheduler.checks import NoticeRefused
from scheduler.examination import Examination, NoticeQuestioned, require_yes

SIGNS = {Level.BLOCKING: "送れません", Level.WARNING: "確認", Level.NOTE: "参考"}
NOBODY_THERE = "この宛先に当てはまる登録はありません。何も送りませんでした。"


def known_codes(accept: Sequence[str] | None) -> frozenset[str]:
    """The codes that were accepted; one that is no code ends the command, since nobody meant to say yes to nothing."""
    unknown = sorted(set(accept or ()) - set(CHECKS))
    if unknown:
        fail(f"--accept: there is no check '{unknown[0]}'; docs/checks.md lists them all.", USAGE)
    return frozenset(accept or ())


def insist_on_yes(examined: Examination, accepted: Collection[str], *, as_json: bool) -> None:
    """Shows what was found, and ends the command when something stops the notice or lacks its yes."""
    if _reaches_nobody(examined):
        fail(NOBODY_THERE, NOBODY)
    if as_json and _stops(examined, accepted):
        print_json(findings_json(examined, accepted))
    for item in examined.findings:
        if item.level != Level.BLOCKING:
            _say(item, accepted)
    try:
        require_yes(examined, accepted)
    except NoticeQuestioned as asked:
        fail(
            f"まだ何も送っていません。確かめたら、{_flags(asked.findings)} を付けてもう一度出してください。",
            USAGE,
        )
    except NoticeRefused as refused:
        refuse(refused)


def refuse(refused: NoticeRefused) -> NoReturn:
    """Every field with its remedy."""
    fail("\n".join(f"{item.field}: {item.message}" for item in refused.problems), USAGE)


def show_examination(examined: Examination, accepted: Collection[str], *, as_json: bool) -> int:
    """For the dry run; the exit code that `notice post` would have."""
    if as_json:
        print_json(findings_json(examined, accepted))
    else:
        for item in examined.findings:
            _say(item, accepted)
        if examined.impacts:
            counts = "、".join(f"{item.channel} {item.count:,}件" for item in examined.impacts)
            talk.print(f"宛先: {counts}", markup=False, highlight=False, soft_wrap=True)
        talk.print(
            "このままでは送れません。" if _stops(examined, accepted) else "送れます。", highlight=False
        )
    if _reaches_nobody(examined):
        return NOBODY
    return USAGE if _stops(examined, accepted) else 0


def findings_json(examined: Examination, accepted: Collection[str]) -> dict[str, Any]:
    """What was found, in the order of gravity, and whether it would be sent."""
    return {
        "sendable": not _stops(examined, accepted),
        "findings": [
            {
                "code": item.code,
                "level": str(item.level),
                "field": item.field,
                "language": item.language,
                "message": item.message,
                "remedy": item.remedy,
                "accepted": item.level == Level.WARNING and item.code in accepted,
            }
            for item in examined.findings
        ],
        "channels": {item.channel: item.count for item in examined.impacts},
    }


def _reaches_nobody(examined: Examination) -> bool:
    return any(item.code == "nobody" for item in examined.findings)


def _stops(examined: Examination, accepted: Collection[str]) -> bool:
    try:
        require_yes(examined, accepted)
    except NoticeRefused:
        return True
    return False


def _say(item: Finding, accepted: Collection[str]) -> None:
    answered = "(確認済み)" if item.level == Level.WARNING and item.code in accepted else ""
    line = f"{SIGNS[item.level]} [{item.code}]{answered} {item.message} {item.remedy}"
    talk.print(line, markup=False, highlight=False, soft_wrap=True)


def _flags(findings: Sequence[Finding]) -> str:
    return " ".join(f"--accept {code}" for code in dict.fromkeys(item.code for item in findings))
