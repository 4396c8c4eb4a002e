"""doctor: settings, database, clock, disk, tokens, mail server: each with a remedy."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bot.commands.common import FAILED, load_settings, print_json, run, talk
from bot.doctor.findings import Finding, Grade
from bot.settings import Settings

SIGNS = {Grade.GOOD: ("○", "green"), Grade.WARNING: ("△", "yellow"), Grade.PROBLEM: ("×", "bold red")}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="The findings as JSON on stdout.")] = False,
) -> None:
    """Look at everything that the service needs and name what is wrong, with a remedy; sends nothing.

    Exit code 1 when there is a problem; warnings alone are 0.
    """
    found = run(examine(load_settings()))
    if as_json:
        print_json([asdict(item) for item in found])
    else:
        _tell(found)
    if any(item.grade == Grade.PROBLEM for item in found):
        raise typer.Exit(FAILED)


async def examine(settings: Settings) -> list[Finding]:
    """What was found, in the order in which it was looked for."""
    from bot.doctor.here import examine_database, examine_key, examine_machine, examine_profile
    from bot.doctor.outside import examine_outside

    town, found = examine_profile(settings)
    keys, of_key = examine_key(settings)
    found += of_key
    found += await examine_database(settings, town, keys)
    found += examine_machine(settings)
    if town is not None:
        found += await examine_outside(settings, town)
    return found


def _tell(found: list[Finding]) -> None:
    for item in found:
        sign, style = SIGNS[item.grade]
        talk.print(
            f"{sign} {item.subject}: {item.words}", style=style, markup=False, highlight=False, soft_wrap=True
        )
        if item.remedy:
            talk.print(f"   → {item.remedy}", markup=False, highlight=False, soft_wrap=True)
    problems = sum(item.grade == Grade.PROBLEM for item in found)
    warnings = sum(item.grade == Grade.WARNING for item in found)
    talk.print(
        f"直すところ {problems}件、気をつけるところ {warnings}件"
        if problems or warnings
        else "問題は見つかりませんでした。",
        highlight=False,
    )
