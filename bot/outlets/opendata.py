"""Registrations as open data: the end of the last month, small cells hidden, in the form of 統計表.

Symbols as Japan's official statistics use them: "…" not available, "x" hidden,
"・" not applicable. A zero bears "0", since spreadsheets take the usual "-" for the beginning of a formula.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from bot.breaks import breaks, definition_words, is_over
from bot.figure_words import MEASURE_WORDS, channel_of, channel_words, is_counted, reach_words, value_words
from bot.service import Service
from content.clock import today_jst
from content.figures import snapshots
from content.figures.counts import DEFINITION
from content.figures.movements import Measure
from content.figures.suppression import publishable_choices, publishable_parts, publishable_total
from content.town import Town

NONE, UNAVAILABLE, HIDDEN, NOT_APPLICABLE = "0", "…", "x", "・"
SYMBOLS = {
    NONE: "該当なし(数えた結果が0件)",
    UNAVAILABLE: "値が得られない(サービスが動いていなかった、または記録がない)",
    HIDDEN: "秘匿(10件未満、またはほかの値や全体との差から10件未満の値が分かるもの)",
    NOT_APPLICABLE: "当てはまらない(選ばなくても登録すべてに届く分野、統合・分割・終了した区分)",
}
NOTES = (
    DEFINITION,
    "分野別・地区別は、複数を選んだ登録をそれぞれに数えるため、合計は全体と合いません。",
    "前の月の末日の値です。月に1回、新しくなります。",
)
# Published tables, each over all channels: two crossed ones would tell more than both.
TABLES = (Measure.TOTAL, Measure.CATEGORY, Measure.AREA, Measure.LANGUAGE)
HEADINGS = {
    "town_code": "全国地方公共団体コード",
    "prefecture": "都道府県名",
    "town": "市区町村名",
    "date": "時点",
    "measure": "区分",
    "key": "キー",
    "name": "名称",
    "registrations": "登録数",
    "symbol": "記号",
    "unit": "単位",
    "note": "備考",
    "licence": "ライセンス",
}


async def open_rows(service: Service) -> list[dict[str, Any]]:
    """Every cell of the end of the last month; `registrations` is None where a symbol stands instead."""
    town, day = service.town, last_month_end(today_jst())
    async with service.database.read() as connection:
        figures = await snapshots.figures_of(connection, day)
    whole = 0 if figures is None else sum(_cells(town, Measure.TOTAL, figures).values())
    rows = [_row(town, day, "全体", "", "全体", *_total(whole, figures))]
    for measure in TABLES:
        cells = None if figures is None else _cells(town, measure, figures)
        shown = {} if cells is None else _shown(measure, cells, whole)
        word = MEASURE_WORDS[measure]
        for key in _keys(town, measure, cells or {}):
            name = channel_words(key) if measure == Measure.TOTAL else value_words(town, measure, key)
            always = _always(town, measure, key)
            ended = is_over(town, measure, key, day) and not (cells or {}).get(key)
            value: tuple[int | None, str]
            if always or ended:
                value = (None, NOT_APPLICABLE)
            elif cells is None:
                value = (None, UNAVAILABLE)
            else:
                value = _cell(shown[key])
            note = reach_words(town.category.get(key)) if always else _changes(town, measure, key, day)
            rows.append(_row(town, day, word, key, name, *value, note))
    return rows


def open_json(town: Town, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "town_code": town.code,
        "town": f"{town.prefecture}{town.name}",
        "date": rows[0]["date"],
        "unit": "件",
        "licence": town.open_data_licence,
        "notes": [*NOTES, *_change_notes(town, date.fromisoformat(rows[0]["date"]))],
        "symbols": SYMBOLS,
        "registrations": [
            {name: row[name] for name in ("measure", "key", "name", "registrations", "symbol", "note")}
            for row in rows
        ],
    }


def _changes(town: Town, measure: str, key: str, day: date) -> str:
    return "、".join(item.sentence for item in breaks(town, measure, day) if key in item.keys)


def _change_notes(town: Town, day: date) -> list[str]:
    said = (definition_words(breaks(town, measure, day)) for measure in (Measure.CATEGORY, Measure.AREA))
    return [words for words in said if words]


def last_month_end(today: date) -> date:
    return today.replace(day=1) - timedelta(days=1)


def _total(whole: int, figures: snapshots.Figures | None) -> tuple[int | None, str]:
    return (None, UNAVAILABLE) if figures is None else _cell(publishable_total(whole))


def _shown(measure: Measure, cells: Mapping[str, int], whole: int) -> dict[str, int | None]:
    """Each registration has one channel and one language. Of districts it may have several, so their sum is not
    known, but no less than everybody; of categories it may have none, so nothing is known of theirs."""
    if measure in (Measure.TOTAL, Measure.LANGUAGE):
        return publishable_parts(cells)
    return publishable_choices(cells, whole, at_least_one=measure == Measure.AREA)


def _cells(town: Town, measure: Measure, figures: snapshots.Figures) -> dict[str, int]:
    """Over all channels; of the total by channel."""
    found: Counter[str] = Counter()
    for (account, kind, value), number in figures.items():
        if kind == measure and is_counted(town, account):
            found[channel_of(town, account) if measure == Measure.TOTAL else value] += number
    return {key: found[key] for key in _keys(town, measure, found) if not _always(town, measure, key)}


def _always(town: Town, measure: Measure, key: str) -> bool:
    return measure == Measure.CATEGORY and key in town.category and town.category[key].always


def _keys(town: Town, measure: Measure, found: Mapping[str, int]) -> list[str]:
    known: dict[Measure, list[str]] = {
        Measure.TOTAL: [item.channel for item in town.accounts if is_counted(town, item.key)],
        Measure.CATEGORY: [item.key for item in town.categories],
        Measure.AREA: [*(item.key for item in town.areas), ""],
        Measure.LANGUAGE: list(town.languages),
    }
    return list(dict.fromkeys([*known[measure], *sorted(found)]))


def _cell(number: int | None) -> tuple[int | None, str]:
    if number is None:
        return None, HIDDEN
    return number, NONE if number == 0 else ""


def _row(
    town: Town,
    day: date,
    measure: str,
    key: str,
    name: str,
    number: int | None,
    symbol: str,
    note: str = "",
) -> dict[str, Any]:
    return {
        "town_code": town.code,
        "prefecture": town.prefecture,
        "town": town.name,
        "date": day.isoformat(),
        "measure": measure,
        "key": key,
        "name": name,
        "registrations": number,
        "symbol": symbol,
        "unit": "件",
        "note": note,
        "licence": town.open_data_licence,
    }
