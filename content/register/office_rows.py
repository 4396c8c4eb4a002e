"""Rows of a CSV file as a town's office has it: any order of columns, Japanese or English headings, names for keys."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from content.register import office_cells
from content.register.csv_cells import original
from content.register.history import HISTORY_COLUMNS
from content.town import Town

# What a message may repeat: a key or a word, nothing that an address fits into.
REPEATABLE = re.compile(r"[\w-]{1,24}")
FORM = ("channel", "address", "categories", "areas", "language", "birth_months", "groups", "registered_at")
LATER = ("quiet_hours", "paused_until", "pace")
# The heading that a message names a column by, and what else may stand over it.
HEADINGS: dict[str, tuple[str, ...]] = {
    "channel": ("配信手段", "手段", "種別"),
    "address": ("宛先", "アドレス", "メールアドレス", "LINEユーザーID", "mail", "e-mail", "email"),
    "categories": ("お知らせの種類", "分野", "カテゴリ", "カテゴリー"),
    "areas": ("地区", "地域", "行政区"),
    "language": ("ことば", "言語"),
    "birth_months": ("子どもの生まれ月", "生まれ月", "誕生月"),
    "groups": ("グループ",),
    "registered_at": ("登録日", "登録日時"),
    "quiet_hours": ("おやすみ時間",),
    "paused_until": ("お休みの最終日", "お休み"),
    "pace": ("受け取り方",),
    **dict.fromkeys(HISTORY_COLUMNS, ()),
}
LANGUAGES = {
    "ja": {"ja": "日本語"},
    "ja-easy": {"ja": "やさしい日本語"},
    "en": {"ja": "英語", "en": "English"},
}
CHANNELS = {
    "line": {"ja": "ライン"},
    "mail": {"ja": "メール", "en": "e-mail"},
    "webhook": {"ja": "ウェブフック"},
}
PACES = {"at_once": {"ja": "すぐに"}, "morning": {"ja": "朝のまとめ"}}
# What a problem may be about beside a column.
OF_THE_WHOLE = {"header": "見出し", "file": "ファイル"}
KEPT_CELLS = 10_000
# The column in which `--skip-bad` says what is wrong: whoever mends the rows need not take it out.
REASON = "理由"
# A heading that tells the channel too.
MAIL_ADDRESS = frozenset({"メールアドレス", "mail", "e-mail", "email"})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one field. Never repeats the address."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        names = HEADINGS.get(self.column, ())
        label = names[0] if names else OF_THE_WHOLE.get(self.column, self.column)
        return f"{self.line}行目「{label}」: {self.message}"


class Bad(Exception):
    """One row cannot be taken."""

    def __init__(self, line: int, column: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(line, column, message)


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """`cells` by column, in the register's own form; those that the file does not have are missing. `raw` as it stood."""

    line: int
    cells: dict[str, str]
    raw: tuple[str, ...]


def read_header(row: list[str]) -> tuple[str, ...]:
    """The columns in the order of the file, "" for one without a heading. Raises Bad."""
    columns: list[str] = []
    for cell in row:
        heading = office_cells.plain(cell)
        column = REASON if heading == REASON else _COLUMN_OF.get(heading.casefold(), "")
        if heading and not column:
            shown = f"「{heading}」" if REPEATABLE.fullmatch(heading) else "この見出し"
            raise Bad(
                1, "header", f"{shown}は使えません。列を消すか、次のどれかにしてください: {known_headings()}"
            )
        if column and column in columns:
            raise Bad(1, "header", f"「{heading}」が2つあります。1つにしてください")
        columns.append(column)
    if "address" not in columns:
        raise Bad(1, "header", f"「宛先」の列がありません。1行目に見出しを書いてください: {known_headings()}")
    if "channel" not in columns and not _is_mail(row):
        raise Bad(
            1,
            "header",
            "「配信手段」の列がありません。メールだけの表なら、宛先の見出しを「メールアドレス」にしてください",
        )
    if 0 < len(set(HISTORY_COLUMNS) & set(columns)) < len(HISTORY_COLUMNS):
        raise Bad(
            1, "header", f"記録の列({'、'.join(HISTORY_COLUMNS)})は、すべて書くか、すべて消してください"
        )
    return tuple(columns)


def known_headings() -> str:
    return "、".join(names[0] for names in HEADINGS.values() if names)


def office_rows(
    lines: Iterable[str], town: Town, bad: Callable[[Bad, tuple[str, ...]], None]
) -> Iterator[OfficeRow]:
    """Every row that is not empty; `bad` hears of those that have too few or too many cells. Raises Bad for the heading."""
    reader = csv.reader(lines)
    header = next(reader, [])
    columns = read_header(header)
    translate = _translations(town)
    only_mail = "channel" not in columns
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        line = reader.line_num
        beyond = [cell for cell, column in zip(row, columns, strict=False) if not column] + row[
            len(columns) :
        ]
        if len(row) < len(columns) or any(cell.strip() for cell in beyond):
            message = "見出しと同じ数の欄が要ります。一つの欄にいくつも書くときは ; で区切ってください"
            bad(Bad(line, "address", message), tuple(row))
            continue
        cells = {
            column: translate.get(column, str)(original(cell))
            for column, cell in zip(columns, row, strict=False)
            if column and column != REASON
        }
        if only_mail:
            cells["channel"] = "mail"
        yield OfficeRow(line, cells, tuple(row))


def _translations(town: Town) -> dict[str, Callable[[str], str]]:
    """By column; the same few cells come again and again."""
    categories, areas, groups = (
        office_cells.by_name({item.key: item.names for item in items})
        for items in (town.categories, town.areas, town.groups)
    )
    languages, channels, paces = map(office_cells.by_name, (LANGUAGES, CHANNELS, PACES))
    remembered = lru_cache(KEPT_CELLS)
    return {
        "channel": remembered(lambda cell: office_cells.key(cell, channels)),
        "address": _address,
        "categories": remembered(lambda cell: office_cells.keys(cell, categories)),
        "areas": remembered(lambda cell: office_cells.keys(cell, areas)),
        "groups": remembered(lambda cell: office_cells.keys(cell, groups)),
        "language": remembered(lambda cell: office_cells.key(cell, languages)),
        "pace": remembered(lambda cell: office_cells.key(cell, paces)),
        "birth_months": remembered(office_cells.months),
        "registered_at": remembered(office_cells.moment),
        "paused_until": remembered(office_cells.day),
    }


def _address(cell: str) -> str:
    """Nothing inside it is changed: a secret may hold any sign."""
    found = office_cells.QUOTED_FORMULA.fullmatch(cell.strip())
    return found[1] if found else cell


def _is_mail(header: list[str]) -> bool:
    return any(office_cells.plain(cell).casefold() in MAIL_ADDRESS for cell in header)


_COLUMN_OF = {
    office_cells.plain(name).casefold(): column
    for column, names in HEADINGS.items()
    for name in (column, *names)
}
