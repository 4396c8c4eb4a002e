"""Dates that cannot be, do not fit their weekday, are over, or come before the notice does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from content.clock import to_jst
from content.notices.checks.calendar_words import WEEKDAYS, Mention, mentions
from content.notices.checks.finding import Finding, Passage, passages, quoted
from content.notices.notices import NoticeSpec

# What is still to come is announced with one of these words.
_TO_COME = re.compile(
    r"日時|とき|期日|期間|開催|実施|行います|行う|開始|開設|開館|開放|締切|締め切|期限|まで|申込|申し込|受付|予定|集合|会場|提出|納期|投票|募集"
)
# What is told of the past names past days as a matter of course.
_TOLD = re.compile(
    r"ました|でした|ていた|済み|現在|生まれ|時点|以前|以後|以降|付け|付で|施行|公布|発行|発表|撮影|中止|延期|変更|訂正|から.*(?:いま|おり)ます"
)
_FAR = timedelta(days=2 * 365)
_TIME = re.compile(r"(午前|午後|夜|夕方)?[ 　]*(\d{1,2})(?:時(?:[ 　]*(\d{1,2})分|(半))?|:(\d\d))")
_BOTH = re.compile(
    r"令和[ 　]?(\d{1,2}|元)年度?[ 　]*[(][ 　]*(?:西暦)?(20\d\d)|(20\d\d)年度?[ 　]*[(][ 　]*令和[ 　]?(\d{1,2}|元)"
)


def check_dates(spec: NoticeSpec, now: int) -> Iterator[Finding]:
    """Read from the Japanese texts, seen from the moment at which the notice goes out."""
    for passage in passages(spec):
        if not passage.is_japanese:
            continue
        for line in passage.lines():
            yield from _line(passage, line, spec, now)


def _line(passage: Passage, line: str, spec: NoticeSpec, now: int) -> Iterator[Finding]:
    today = to_jst(spec.at or now).date()
    for sentence in re.split(r"(?<=。)", line):
        found = mentions(sentence, today)
        yield from _impossible(passage, found, today)
        yield from _weekdays(passage, found, today)
        yield from _over(passage, sentence, found, spec, now)
    far = [item.text for item in mentions(line, today) if _is_far(item, today)]
    if far:
        yield _finding(
            "year-far",
            passage,
            f"{quoted(far)}は、ずっと先の日付です。",
            "年の書き違いでないか確かめてください。",
        )
    for western, japanese in _years_twice(line):
        if western != japanese:
            yield _finding(
                "year-differs",
                passage,
                f"令和{japanese - 2018}年は{japanese}年ですが、{western}年と書かれています。",
                "どちらの年が正しいか確かめてください。",
            )


def _impossible(passage: Passage, found: list[Mention], today: date) -> Iterator[Finding]:
    wrong = [item.text for item in found if not item.exists or item.resolve(today) is None]
    if wrong:
        yield _finding(
            "no-such-date", passage, f"{quoted(wrong)}という日はありません。", "日付を確かめてください。"
        )


def _weekdays(passage: Passage, found: list[Mention], today: date) -> Iterator[Finding]:
    for item in found:
        day = item.resolve(today)
        if day is not None and item.weekday is not None and day.weekday() != item.weekday:
            yield _finding(
                "weekday",
                passage,
                f"「{item.text}」の曜日が合いません。{day.year}年{day.month}月{day.day}日は{WEEKDAYS[day.weekday()]}曜日です。",
                "日付と曜日のどちらが正しいか確かめてください。",
            )


def _over(
    passage: Passage, sentence: str, found: list[Mention], spec: NoticeSpec, now: int
) -> Iterator[Finding]:
    """Of several days the last one counts: a course that is under way is announced with all of them."""
    sending = to_jst(spec.at or now).date()
    days = [(day, item) for item in found if (day := item.resolve(sending)) is not None]
    if not days or not _TO_COME.search(sentence) or _TOLD.search(sentence):
        return
    last, item = max(days, key=lambda pair: pair[0])
    today = to_jst(now).date()
    if last < today:
        # An old year is told on purpose; last year's is a text that was copied.
        if last.year >= today.year - 1:
            yield _finding(
                "date-past",
                passage,
                f"「{item.text}」は、もう過ぎています。",
                "前の文を写したままになっていないか確かめてください。",
            )
    elif spec.at is not None and _is_before(last, sentence[item.start :], spec.at):
        yield _finding(
            "event-before-sending",
            passage,
            f"「{item.text}」は、配信する{_moment(spec.at)}より前です。",
            "配信日時か、本文の日時を直してください。",
        )


def _is_before(day: date, rest: str, at: int) -> bool:
    """Whether the day, or the last time that stands behind it, is over when the notice goes out."""
    sending = to_jst(at)
    if day != sending.date():
        return day < sending.date()
    times = [_minutes(hit) for hit in _TIME.finditer(rest)]
    return bool(times) and max(times) < sending.hour * 60 + sending.minute


def _minutes(hit: re.Match[str]) -> int:
    half_day, hours, minutes, half, colon = hit.groups()
    hour = int(hours) + (12 if half_day in ("午後", "夜", "夕方") and int(hours) < 12 else 0)
    return hour * 60 + (30 if half else int(minutes or colon or 0))


def _is_far(item: Mention, today: date) -> bool:
    day = item.resolve(today) if item.year else None
    return day is not None and day > today + _FAR


def _years_twice(line: str) -> Iterator[tuple[int, int]]:
    """(western, the one that 令和 says) wherever both stand."""
    for first, western, other, second in _BOTH.findall(line):
        era = first or second
        yield int(western or other), 2018 + (1 if era == "元" else int(era))


def _moment(at: int) -> str:
    sending = to_jst(at)
    return f"{sending.month}月{sending.day}日{sending:%H:%M}"


def _finding(code: str, passage: Passage, message: str, remedy: str) -> Finding:
    return Finding(code, passage.field, f"{passage.where}の{message}", remedy, passage.language)
