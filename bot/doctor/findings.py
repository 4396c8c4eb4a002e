"""What an examination found out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """A `problem` keeps something from its work; with a `warning` it works, for now or less well."""

    GOOD = "good"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` is what was looked at, `words` what was seen, `remedy` what to do ("" when nothing is to be done)."""

    subject: str
    grade: Grade
    words: str
    remedy: str = ""


def good(subject: str, words: str) -> Finding:
    return Finding(subject, Grade.GOOD, words)


def warning(subject: str, words: str, remedy: str) -> Finding:
    return Finding(subject, Grade.WARNING, words, remedy)


def problem(subject: str, words: str, remedy: str) -> Finding:
    return Finding(subject, Grade.PROBLEM, words, remedy)
