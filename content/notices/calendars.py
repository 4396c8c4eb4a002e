"""Word calendars (文の暦): for each date the words that fill the gaps of a recurring notice, such as 休日当番医.

A date that is missing has no words: its occurrence waits for a person, it never takes those of another date.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date

from pydantic import Field

from content.register.csv_files import decoded
from content.town import Key, ProfileModel

DATE_COLUMNS = ("日付", "date", "年月日", "月日")
MOST_DAYS = 2_000
DATE_FORMS = "2026-12-31 か 2026/12/31"


class CalendarError(Exception):
    """The file cannot be used; the message names the line and the remedy. Nothing was changed."""


class WordCalendar(ProfileModel):
    """`days` maps a date (YYYY-MM-DD) to the words of each column."""

    key: Key
    name: str
    closed: bool = False
    columns: tuple[str, ...] = ()
    days: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)

    def words_of(self, day: date) -> Mapping[str, str] | None:
        """None when the date is missing or one of its words is empty."""
        found = self.days.get(day.isoformat())
        return found if found and all(found.get(column, "").strip() for column in self.columns) else None


def read_calendar(content: bytes) -> tuple[tuple[str, ...], dict[str, dict[str, str]]]:
    """The columns and days of a CSV file in UTF-8 or CP932, as spreadsheets write them. Raises CalendarError."""
    rows = list(csv.reader(io.StringIO(_decoded(content), newline="")))
    if not rows or not any(cell.strip() for cell in rows[0]):
        raise CalendarError("ファイルが空です。1行目に「日付」と、文に入れる項目の名前を書いてください。")
    names = [cell.strip() for cell in rows[0]]
    if names[0] not in DATE_COLUMNS:
        raise CalendarError(f"1行目の最初の列が「{names[0]}」です。最初の列は「日付」にしてください。")
    columns = tuple(name for name in names[1:] if name)
    if not columns or len(columns) != len(names) - 1 or len(set(columns)) != len(columns):
        raise CalendarError(
            "1行目の項目の名前が空か、同じ名前が2つあります。列ごとに別の名前を書いてください。"
        )
    days: dict[str, dict[str, str]] = {}
    lines: dict[str, int] = {}
    for number, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        day = _day(cells[0].strip(), number)
        if day in days:
            raise CalendarError(
                f"{number}行目の日付 {day} は、{lines[day]}行目にもあります。どちらかを消してください。"
            )
        if len(cells) != len(names):
            raise CalendarError(
                f"{number}行目の列の数が {len(cells)} です。1行目と同じ {len(names)} にしてください。"
            )
        words = dict(zip(columns, (cell.strip() for cell in cells[1:]), strict=True))
        empty = [name for name, word in words.items() if not word]
        if empty:
            raise CalendarError(f"{number}行目の「{empty[0]}」が空です。書くか、その行を消してください。")
        days[day], lines[day] = words, number
    if not days:
        raise CalendarError("日付の行がありません。2行目から、日付ごとに1行ずつ書いてください。")
    if len(days) > MOST_DAYS:
        raise CalendarError(f"日付が {len(days)} あります。{MOST_DAYS} までに分けてください。")
    return columns, dict(sorted(days.items()))


def _decoded(content: bytes) -> str:
    text = decoded(content)
    if text is None:
        raise CalendarError(
            "文字コードを読み取れません。表計算ソフトで「CSV UTF-8」か「CSV」を選んで保存し直してください。"
        )
    return text


def _day(text: str, number: int) -> str:
    parts = text.replace("年", "/").replace("月", "/").removesuffix("日").replace("-", "/").split("/")
    try:
        year, month, day = (int(part) for part in parts)
        found = date(year, month, day)
        if year < 2000:
            raise ValueError
    except ValueError as error:
        raise CalendarError(
            f"{number}行目の日付「{text}」を読み取れません。{DATE_FORMS} のように書いてください。"
        ) from error
    return found.isoformat()
