"""The checks over 200 ordinary notices and over faulty ones: few false alarms, and every fault found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from content.check_rules import CHECKS, Level
from content.clock import from_datetime
from content.notices.checks.circumstances import Circumstances
from content.notices.checks.examine import examine
from content.notices.checks.finding import Finding
from content.notices.notices import NoticeSpec
from content.notices.segments import Target
from content.notices.states import NoticeKind
from tests.factories import create_town

CORPUS = Path(__file__).parent / "notices_corpus"
TOWN = create_town()
# Of 200. More would teach staff to tick without reading.
FEW = 5


@dataclass(frozen=True)
class Example:
    at: int
    spec: NoticeSpec
    code: str

    def findings(self) -> list[Finding]:
        return examine(self.spec, TOWN, Circumstances(now=self.at, total=2_500, usual=(2_400, 2_500) * 10))


def examples(name: str) -> Iterator[Example]:
    for line in (CORPUS / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            when, choices, title, body, *code = line.split("|")
            yield Example(_moment(when), _spec(choices.split(), title, body), code[0] if code else "")


def _spec(choices: list[str], title: str, body: str) -> NoticeSpec:
    category, *options = choices
    given = dict(option.partition("=")[::2] for option in options)
    return NoticeSpec(
        category=category,
        urgency="urgent" if "urgent" in given else "routine",
        texts={"ja": (title, body.replace("⏎", "\n"))},
        channels=("line", "mail"),
        mode=next((mode for mode in ("drill", "test") if mode in given), "live"),
        target=Target("everyone")
        if "everyone" in given
        else Target("segment", given["segment"])
        if "segment" in given
        else Target(),
        at=_moment(given["at"]) if "at" in given else None,
    )


def _moment(written: str) -> int:
    return from_datetime(datetime.fromisoformat(written))


def test_there_are_two_hundred_ordinary_notices_of_every_category_over_the_year() -> None:
    found = list(examples("ordinary.txt"))
    assert len(found) == 200
    assert {item.spec.category for item in found} == set(TOWN.category)
    assert len({item.spec.texts["ja"] for item in found}) == 200


def test_ordinary_notices_raise_hardly_a_warning() -> None:
    alarms = [
        (item.spec.texts["ja"][0], finding.code, finding.message)
        for item in examples("ordinary.txt")
        for finding in item.findings()
        if finding.level != Level.NOTE
    ]
    assert len(alarms) < FEW, alarms


@pytest.mark.parametrize(
    "item", list(examples("faulty.txt")), ids=lambda item: f"{item.code}-{item.spec.texts['ja'][1][:12]}"
)
def test_a_faulty_notice_is_found_out(item: Example) -> None:
    found = item.findings()
    assert item.code in {finding.code for finding in found}, found
    assert all(finding.message and "\n" not in finding.message for finding in found)


def test_every_check_of_the_words_has_a_faulty_example() -> None:
    of_the_moment = {
        *("no-text", "hidden-character", "unusable", "nobody", "quota", "repeated", "unusual-number"),
        *("link-dead", "link-unasked", "language-missing", "level-differs"),
        # What stands beside the words: test_checks_attached.py.
        *("picture-alt", "picture-alt-poor", "place", "event"),
    }
    assert {item.code for item in examples("faulty.txt")} == set(CHECKS) - of_the_moment


def test_a_correction_asks_for_no_yes_to_everyone() -> None:
    example = next(item for item in examples("faulty.txt") if item.code == "everyone")
    correction = replace(example.spec, kind=NoticeKind.CORRECTION, corrects=1)
    assert "everyone" not in {item.code for item in examine(correction, TOWN, Circumstances(now=example.at))}
