"""Evaluation sheet (評価表): what was done, what is left, and a person's grades, policy by policy, for one year.

A sheet goes draft → confirmed → published, and back to draft by the same right. Only a draft is written in.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from content.plans.models import Line, Prose
from content.plans.values import FiscalYear
from content.town import Key, ProfileModel


class SheetState(StrEnum):
    DRAFT = "draft"
    CONFIRMED = "confirmed"
    PUBLISHED = "published"


# What a person may make of a sheet in a state.
NEXT: dict[SheetState, tuple[SheetState, ...]] = {
    SheetState.DRAFT: (SheetState.CONFIRMED,),
    SheetState.CONFIRMED: (SheetState.PUBLISHED, SheetState.DRAFT),
    SheetState.PUBLISHED: (SheetState.DRAFT,),
}


class Entry(ProfileModel):
    """What is written of one policy. `grades`: key of the scale → name of the grade, chosen by a person."""

    progress: Prose = ""
    done: Prose = ""
    issues: Prose = ""
    next: Prose = ""
    grades: dict[Key, Line] = Field(default_factory=dict)
    remark: Prose = ""
    written_by: Line = ""


class PrintedCount(ProfileModel):
    """A count and its share as the town printed them, beside which ours are shown."""

    scale: Key
    grade: Line
    count: Annotated[int, Field(ge=0)]
    percent: Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d+)?$")]


class PrintedShare(ProfileModel):
    """A share that the town printed for a part of the plan, whose single grades it did not publish."""

    part: Line
    words: Line
    percent: Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d+)?$")]


class Frozen(ProfileModel):
    """What was counted for an indicator in a year, as it stood when the sheet was confirmed."""

    number: Decimal
    day: date
    provisional: bool = False
    source: Line = ""


class Sheet(ProfileModel):
    """`confirmed_by` and `_at` (milliseconds) are those of the newest confirmation; `frozen` are the counts of
    then, by indicator and year: what is counted anew later stands beside them, never in their place."""

    key: Key
    plan: Key
    year: FiscalYear
    state: SheetState = SheetState.DRAFT
    confirmed_by: str = ""
    confirmed_at: int | None = None
    frozen: dict[Key, dict[FiscalYear, Frozen]] = Field(default_factory=dict)
    entries: dict[Key, Entry] = Field(default_factory=dict)
    printed: tuple[PrintedCount, ...] = ()
    printed_shares: tuple[PrintedShare, ...] = ()
    note: Prose = ""


def sheet_key(plan: str, year: int) -> str:
    return f"{plan}-{year}"
