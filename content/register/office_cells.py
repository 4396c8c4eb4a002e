"""Cells as offices and spreadsheets write them, brought to the one form of the register's CSV.

2019/4/1, 令和元年5月1日, 2021年4月, `="0901"` and full-width letters become what `subscribers_csv` reads. What is
not understood stays as it was, for the reader to name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# The year before the first of each era.
ERAS = {
    "令和": 2018, "R": 2018, "平成": 1988, "H": 1988, "昭和": 1925, "S": 1925, "大正": 1911, "T": 1911,
}  # fmt: skip
_ERA = "|".join(ERAS)
_MONTH = rf"(?P<era>{_ERA})?(?P<year>\d{{1,4}}|元)[-/.年](?P<month>\d{{1,2}})"
MONTH = re.compile(rf"{_MONTH}月?", re.IGNORECASE)
MOMENT = re.compile(
    rf"{_MONTH}[-/.月](?P<day>\d{{1,2}})日?(?:[ T](?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::(?P<second>\d{{2}}))?)?",
    re.IGNORECASE,
)
# Excel writes a text that looks like a number so.
QUOTED_FORMULA = re.compile(r'="([^"]*)"')
# What parts a list, beside our own `;`.
SEPARATORS = re.compile(r"[;；、\n]")


def plain(cell: str) -> str:
    """Letters and digits in their usual width, without the formula that Excel puts around a text."""
    found = QUOTED_FORMULA.fullmatch(cell.strip())
    return unicodedata.normalize("NFKC", found[1] if found else cell).strip()


def moment(cell: str) -> str:
    """2026-04-01 or 2026-04-01T09:30:00, which are Japanese time; else the cell as it was."""
    found = MOMENT.fullmatch(plain(cell))
    if found is None:
        return cell
    day = f"{_year(found):04}-{int(found['month']):02}-{int(found['day']):02}"
    if found["hour"] is None:
        return day
    return f"{day}T{int(found['hour']):02}:{found['minute']}:{found['second'] or '00'}"


def day(cell: str) -> str:
    """2026-04-01; else the cell as it was."""
    return moment(cell) if moment(cell)[10:] == "" else cell


def months(cell: str) -> str:
    """2021-04;2023-11; what is no month stays as it was."""
    return ";".join(map(_month, _parts(cell)))


def keys(cell: str, key_of: Mapping[str, str]) -> str:
    """The keys of the names in a list; `key_of` as `by_name` makes it."""
    return ";".join(key_of.get(_folded(part), part) for part in _parts(cell))


def key(cell: str, key_of: Mapping[str, str]) -> str:
    return key_of.get(_folded(cell), plain(cell))


def by_name(names: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """From every key and every name of it, in any language, to the key. A name that two bear leads nowhere."""
    found: dict[str, str] = {}
    doubtful: set[str] = set()
    for item, in_languages in names.items():
        for name in {_folded(name) for name in in_languages.values()}:
            if found.setdefault(name, item) != item:
                doubtful.add(name)
    for name in doubtful:
        del found[name]
    return found | {_folded(item): item for item in names}


def _parts(cell: str) -> list[str]:
    return [part for part in map(plain, SEPARATORS.split(cell)) if part]


def _folded(text: str) -> str:
    return plain(text).casefold()


def _month(part: str) -> str:
    found = MONTH.fullmatch(part)
    return part if found is None else f"{_year(found):04}-{int(found['month']):02}"


def _year(found: re.Match[str]) -> int:
    number = 1 if found["year"] == "元" else int(found["year"])
    return number + (ERAS[found["era"].upper()] if found["era"] else 0)
