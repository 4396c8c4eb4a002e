"""Dates as a town hall writes them: 令和8年4月10日(金), 4月10日・11日(土), 4/10(金)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

WEEKDAYS = "月火水木金土日"
_ERAS = {"令和": 2018, "R": 2018, "平成": 1988, "昭和": 1925, "大正": 1911}
# A date without a year is the one that comes next, or has just been.
_BACK = timedelta(days=60)
_READING = r"(?:\([ぁ-ん ]+\))?"
_WEEKDAY = (
    rf"(?:{_READING}[ 　]*(?:[(](?P<w>[月火水木金土日])(?=[曜・,祝休()振])|(?P<v>[月火水木金土日])曜))?"
)
_YEAR = rf"(?:(?P<era>令和|平成|昭和|大正|R)[ 　]?(?P<eyear>\d{{1,2}}|元)[年.]{_READING}|(?P<year>(?:19|20)\d\d)年{_READING}|(?P<rel>昨年|去年|来年|今年|本年)の?)?"
_FULL = rf"{_YEAR}[ 　]*(?P<month>\d{{1,2}})月{_READING}[ 　]*(?P<day>\d{{1,2}})日{_WEEKDAY}"
_SLASHED = (
    r"(?<![\d/.:-])(?:(?P<year>(?:19|20)\d\d)/)?(?P<month>\d{1,2})/(?P<day>\d{1,2})(?![\d/])"
    r"[ 　]*(?:[(](?P<w>[月火水木金土日])(?=[曜・,祝休()振]))?"
)
# 10日・11日(土): the month stands before.
_DAY = rf"(?<![\d月 　年])(?P<day>\d{{1,2}})日{_WEEKDAY}"
_PATTERNS = tuple(map(re.compile, (_FULL, _SLASHED, _DAY)))


@dataclass(frozen=True, slots=True)
class Mention:
    """A date as it is written. `year` None: not said; `weekday` 0 is Monday, None when not said."""

    text: str
    start: int
    end: int
    year: int | None
    month: int
    day: int
    weekday: int | None

    @property
    def exists(self) -> bool:
        """29 February without a year may be right."""
        if not 1 <= self.month <= 12 or self.day < 1:
            return False
        return self.day <= monthrange(self.year or 2024, self.month)[1]

    def resolve(self, today: date) -> date | None:
        """The day that is meant, seen from today; None when there is none."""
        if not self.exists:
            return None
        if self.year is not None:
            return date(self.year, self.month, self.day)
        for year in (today.year - 1, today.year, today.year + 1, today.year + 2):
            if self.day <= monthrange(year, self.month)[1]:
                day = date(year, self.month, self.day)
                if day >= today - _BACK:
                    return day
        return None


def mentions(line: str, today: date) -> list[Mention]:
    """Every date of a line (in half width), in order."""
    found: list[Mention] = []
    for pattern in _PATTERNS:
        for hit in pattern.finditer(line):
            if not any(known.start < hit.end() and hit.start() < known.end for known in found):
                found += _mention(hit, found, today)
    return sorted(found, key=lambda item: item.start)


def _mention(hit: re.Match[str], known: list[Mention], today: date) -> Iterator[Mention]:
    parts = hit.groupdict()
    year, weekday = _year(parts, today), parts.get("w") or parts.get("v")
    if "month" in parts:
        month = int(parts["month"])
        if hit.re is _PATTERNS[1] and not (year or weekday):
            # 1/2 may be a half.
            return
    else:
        before = [item for item in known if item.end <= hit.start()]
        if not before or not weekday:
            return
        last = max(before, key=lambda item: item.start)
        year, month = last.year, last.month
        if int(parts["day"]) < last.day:
            return
    number = WEEKDAYS.index(weekday) if weekday else None
    text = hit.group().strip()
    shown = f"{text})" if parts.get("w") and text.count("(") > text.count(")") else text
    yield Mention(shown, hit.start(), hit.end(), year, month, int(parts["day"]), number)


def _year(parts: dict[str, str | None], today: date) -> int | None:
    if parts.get("year"):
        return int(parts["year"] or 0)
    if parts.get("era"):
        number = parts["eyear"] or "1"
        return _ERAS[parts["era"] or ""] + (1 if number == "元" else int(number))
    relative = {"昨年": -1, "去年": -1, "今年": 0, "本年": 0, "来年": 1}.get(parts.get("rel") or "")
    return None if relative is None else today.year + relative
