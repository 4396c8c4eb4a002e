"""Trials (試し送り): what makes a notice one that goes to addresses of staff alone.

The row is the wall: a notice with one has no other target, whatever its own row says, and that says a segment
that there is not, which matches nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, ColumnElement, ForeignKey, Table, Text, exists

from content.database import Id, metadata, one_of
from content.notices.states import TrialKind

trial = Table(
    "trial",
    metadata,
    Column("notice_id", Id, ForeignKey("notice.id"), primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    # To whose addresses; None for those of the self-test.
    Column("staff_id", Id, ForeignKey("staff_member.id"), index=True),
    # The words that were tried; None for those of the self-test.
    Column("version_id", Id, ForeignKey("notice_version.id"), index=True),
    Column("language", Text, nullable=False),
    CheckConstraint(one_of("kind", TrialKind), name="kind"),
)


# As a target's description prints them.
TRIAL_NAMES: dict[str, str] = {
    TrialKind.ONESELF: "試し送りをした職員の試し送り先",
    TrialKind.SEEDS: "自己点検の宛先",
}
# In a row of notices; they are empty for every other notice.
TRIAL_COLUMNS = tuple(
    trial.c[name].label(f"trial_{name}") for name in ("kind", "staff_id", "version_id", "language")
)


def is_no_trial(notice_id: ColumnElement[int]) -> ColumnElement[bool]:
    """The condition of lists and comparisons, which are about what goes to residents."""
    return ~exists().where(trial.c.notice_id == notice_id)


@dataclass(frozen=True, slots=True)
class Trial:
    """`language` is the one that everybody gets; `version_id` that of the words that are tried."""

    kind: TrialKind
    staff_id: int | None
    version_id: int | None
    language: str = "ja"

    @property
    def target(self) -> tuple[str, str]:
        """Kind and key of its notice's target."""
        return self.kind, str(self.staff_id) if self.kind == TrialKind.ONESELF else ""


def trial_in(row: Any) -> Trial | None:
    """What `TRIAL_COLUMNS` of a row say."""
    if row.trial_kind is None:
        return None
    return Trial(TrialKind(row.trial_kind), row.trial_staff_id, row.trial_version_id, row.trial_language)
