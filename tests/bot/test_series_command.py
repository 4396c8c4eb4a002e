"""`notice post --every …`: a rule on the command line, shown again by `notice show`, ended by `cancel`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, time

import pytest
from typer.testing import Result

from bot.commands.every import read_rule
from content.notices.recurrence import BadRecurrence, RecurrenceRule

SEVEN = time(7)
Run = Callable[..., Result]


@pytest.fixture
def kairanban(command_line: Run) -> Run:
    """Words after `kairanban notice`."""

    def run(*words: str) -> Result:
        return command_line("notice", *words)

    return run


def post(run: Run, *words: str) -> Result:
    plain = ("--category", "kosodate", "--title", "健診", "--body", "健診があります。", "--channel", "line")
    return run("post", *plain, *words)


def rule(every: str, **rest: str | Sequence[str]) -> RecurrenceRule:
    plain: dict[str, str | Sequence[str]] = {"first": "", "until": "", "closures": [], "on_holiday": "send"}
    return read_rule(every, **(plain | rest))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("mon,thu 07:00", RecurrenceRule("weekly", SEVEN, weekdays=(0, 3))),
        ("Monday 7:00", RecurrenceRule("weekly", SEVEN, weekdays=(0,))),
        ("2nd,4th tue 07:00", RecurrenceRule("nth", SEVEN, weekdays=(1,), nths=(2, 4))),
        ("month-end 09:00", RecurrenceRule("month_end", time(9))),
        ("day 10 09:00", RecurrenceRule("day", time(9), days=(10,))),
        ("day 10,25 09:00", RecurrenceRule("day", time(9), days=(10, 25))),
        (
            "dates 2026-12-01,2026-12-15 07:00",
            RecurrenceRule("dates", SEVEN, dates=(date(2026, 12, 1), date(2026, 12, 15))),
        ),
    ],
)
def test_a_rule_is_read_from_a_few_words(every: str, expected: RecurrenceRule) -> None:
    assert rule(every) == expected


@pytest.mark.parametrize(
    ("every", "rest", "flag"),
    [
        ("sometimes 07:00", {}, "--every"),
        ("mon,someday 07:00", {}, "--every"),
        ("6th mon 07:00", {}, "--every"),
        ("mon", {}, "--every"),
        ("", {}, "--every"),
        ("mon 25:00", {}, "--every"),
        ("mon soon", {}, "--every"),
        ("day 0 07:00", {}, "--every"),
        ("day ten 07:00", {}, "--every"),
        ("dates 12/1 07:00", {}, "--every"),
        ("mon 07:00", {"first": "tomorrow"}, "--from"),
        ("mon 07:00", {"until": "12/1"}, "--until"),
        ("mon 07:00", {"first": "2026-12-02", "until": "2026-12-01"}, "--until"),
        ("mon 07:00", {"closures": ["正月"]}, "--except"),
        ("mon 07:00", {"on_holiday": "later"}, "--on-holiday"),
    ],
)
def test_what_cannot_be_read_names_its_flag(every: str, rest: dict[str, str], flag: str) -> None:
    with pytest.raises(BadRecurrence) as refused:
        rule(every, **rest)
    assert refused.value.field == flag
    assert str(refused.value)


def test_a_series_is_posted_shown_and_stopped(kairanban: Run) -> None:
    flags = ("--until", "2090-03-31", "--except", "12/29~1/3", "--on-holiday", "after")
    posted = post(kairanban, "--every", "2nd,4th tue 07:00", *flags, "--json")
    assert posted.exit_code == 0, posted.stderr
    found = json.loads(posted.stdout)
    assert found["state"] == "recurring"
    assert found["recurrence"]["words"] == "毎月 第2・第4 火曜日 07:00"
    assert found["recurrence"]["rule"]["closures"] == ["12/29~1/3"]
    coming = found["recurrence"]["next"]
    assert len(coming) == 5 and coming[0]["due_at"] == found["due_at"]
    assert {item["due_at"][11:16] for item in coming} == {"07:00"}

    shown = kairanban("show", str(found["id"]))
    assert "くり返し: 毎月 第2・第4 火曜日 07:00" in shown.stdout
    assert "祝日: 祝日なら、その次の平日に送る" in shown.stdout
    assert "休む日: 毎年12/29〜1/3" in shown.stdout
    assert shown.stdout.count("これから: ") == 5

    assert kairanban("cancel", str(found["id"])).exit_code == 0
    stopped = json.loads(kairanban("show", str(found["id"]), "--json").stdout)
    assert (stopped["state"], stopped["recurrence"]["next"]) == ("cancelled", [])
    assert kairanban("cancel", str(found["id"])).exit_code == 1


def test_an_expiry_is_kept(kairanban: Run) -> None:
    posted = post(kairanban, "--at", "2090-04-01T09:00", "--expires", "2090-04-01T18:00", "--json")
    assert json.loads(posted.stdout)["expires_at"] == "2090-04-01T18:00:00.000+09:00"


def test_a_last_day_lasts_until_its_end(kairanban: Run) -> None:
    posted = post(kairanban, "--at", "2090-04-01T09:00", "--until", "2090-04-30", "--json")
    assert json.loads(posted.stdout)["expires_at"] == "2090-04-30T23:59:00.000+09:00"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--every", "sometimes 07:00"), "--every: "),
        (("--every", "mon 07:00", "--urgent"), "urgency: くり返しは緊急にできません"),
        (("--every", "mon 07:00", "--at", "2090-01-01T07:00"), "at: くり返しと配信日時は"),
        (("--every", "mon 07:00", "--wait"), "--wait: "),
        (("--every", "dates 2020-01-01 07:00"), "1日もありません"),
        (("--from", "2090-01-01"), "belong to --every"),
        (("--until", "2090-01-01", "--expires", "2090-01-01"), "choose one"),
        (("--expires", "2020-01-01T07:00"), "expires: 有効期限が配信より前"),
        (("--expires", "soon"), "--expires: 'soon' is no ISO 8601 time"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_remedy_and_stores_nothing(
    kairanban: Run, flags: tuple[str, ...], message: str
) -> None:
    refused = post(kairanban, *flags)
    assert refused.exit_code == 2
    assert message in refused.stderr
    assert kairanban("show", "1").exit_code == 1
