"""A rule of a recurring notice in words, the same on the console and the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from content.clock import now_ms, words
from content.notices.notices import Notice
from content.notices.recurrence import Closure, Occurrence, RecurrenceRule, upcoming
from content.notices.states import NoticeState, TriggerState

WEEKDAYS = "月火水木金土日"
ON_HOLIDAY = {
    "send": "祝日もそのまま送る",
    "skip": "祝日は送らない",
    "before": "祝日なら、その前の平日に送る",
    "after": "祝日なら、その次の平日に送る",
}
MOVED = {"before": "前", "after": "次"}

# Occurrences to look through for the first exception: more than a year of a daily notice.
FAR = 400


def rule_words(rule: RecurrenceRule) -> str:
    """毎週 月・木曜日 07:00"""
    return f"{_days(rule)} {rule.at:%H:%M}"


def rule_details(rule: RecurrenceRule) -> list[tuple[str, str]]:
    """What else the rule says, as (label, words)."""
    found = [("祝日", ON_HOLIDAY[rule.on_holiday])]
    if rule.first:
        found.append(("始まりの日", _date(rule.first)))
    found.append(("終わりの日", f"{_date(rule.last)}(この日まで送る)" if rule.last else "決めない"))
    if rule.closures:
        found.append(("休む日", "、".join(closure_words(item) for item in rule.closures)))
    if rule.kind == "day" and max(rule.days) > 28:
        found.append(("日のない月", "その日がない月には送らない"))
    if rule.kind == "nth" and 5 in rule.nths:
        found.append(("第5週のない月", "その週がない月には送らない"))
    return found


def occurrence_words(rule: RecurrenceRule, item: Occurrence) -> str:
    """2026年5月7日(木) 07:00, and when it was moved, from where and why."""
    if item.moved_from is None:
        return words(item.due_at)
    left = f"{item.moved_from.month}月{item.moved_from.day}日({WEEKDAYS[item.moved_from.weekday()]})"
    return f"{words(item.due_at)} — {left}が祝日({item.holiday})のため{MOVED[rule.on_holiday]}の平日"


def next_dates(notice: Notice, limit: int = 5) -> list[Occurrence]:
    """What a recurring notice will do next; nothing once it was stopped or has ended."""
    if (
        notice.spec.rule is None
        or notice.state == NoticeState.CANCELLED
        or notice.trigger_state == TriggerState.FINISHED
    ):
        return []
    # What is due and not yet done counts as still to come.
    since = now_ms() if notice.state == NoticeState.DRAFT or notice.due_at is None else notice.due_at - 1
    return upcoming(notice.spec.rule, since, limit)


def beyond_first_exception(notice: Notice) -> tuple[str, ...]:
    """The first day on which it does not come as usual (年末年始), and the next time after it.

    Nothing when the first dates show it already, or when there is no exception in sight.
    """
    shown, rule = next_dates(notice), notice.spec.rule
    if rule is None or not shown:
        return ()
    since = shown[0].due_at - 1
    usual = upcoming(replace(rule, closures=(), on_holiday="send"), since, FAR)
    real = upcoming(rule, since, FAR)
    times = {item.due_at for item in real}
    left_out = next((item for item in usual if item.due_at not in times), None)
    if left_out is None or left_out.due_at < shown[-1].due_at:
        return ()
    after = next((item for item in real if item.due_at > left_out.due_at), None)
    return (f"{words(left_out.due_at)} には送りません", *([occurrence_words(rule, after)] if after else []))


def closure_words(item: Closure) -> str:
    text = str(item).replace("~", "〜").replace("-", "/")
    return text if "-" in str(item) else f"毎年{text}"


def _days(rule: RecurrenceRule) -> str:
    weekdays = "・".join(WEEKDAYS[number] for number in sorted(rule.weekdays))
    if rule.kind == "weekly":
        return "毎日" if len(rule.weekdays) == len(WEEKDAYS) else f"毎週 {weekdays}曜日"
    if rule.kind == "nth":
        return f"毎月 {'・'.join(f'第{number}' for number in sorted(rule.nths))} {weekdays}曜日"
    if rule.kind == "day":
        return f"毎月 {'・'.join(f'{number}日' for number in sorted(rule.days))}"
    if rule.kind == "month_end":
        return "毎月 月末"
    return "、".join(_date(day) for day in sorted(rule.dates))


def _date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日({WEEKDAYS[day.weekday()]})"
