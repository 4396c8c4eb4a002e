"""The open-data file 指定緊急避難場所一覧, in the columns of 推奨データセット and of 自治体標準オープンデータセット.

A site is known again by its name: numbers change from one year's file to the next.
"""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from content.notices.shelters import Hazard, Shelter
from content.register.csv_files import decoded
from content.town import Town

MOST_SHELTERS = 2_000
LONGEST_CELL = 500
# Ways in which the columns are headed; the first that the file has counts.
NAME = ("名称", "施設名", "施設・場所名")
ENGLISH = ("名称_英字", "名称_英語")
ADDRESS = ("所在地_連結表記", "所在地_連結標記", "住所", "所在地")
LATITUDE, LONGITUDE = ("緯度",), ("経度",)
PHONE = ("電話番号",)
CAPACITY = ("想定収容人数",)
STAYING = ("指定避難所との重複", "指定避難所との住所同一")
PEOPLE = ("対象となる町会・自治会",)
NOTE = ("備考",)
HAZARDS = {
    Hazard.FLOOD: ("災害種別_洪水",),
    Hazard.LANDSLIDE: ("災害種別_崖崩れ、土石流及び地滑り", "災害種別_崖崩れ・土石流及び地滑り"),
    Hazard.STORM_SURGE: ("災害種別_高潮",),
    Hazard.EARTHQUAKE: ("災害種別_地震",),
    Hazard.TSUNAMI: ("災害種別_津波",),
    Hazard.FIRE: ("災害種別_大規模な火事",),
    Hazard.INLAND_FLOOD: ("災害種別_内水氾濫",),
    Hazard.VOLCANO: ("災害種別_火山現象",),
}
YES = frozenset({"1", "○", "〇", "◯", "●", "◎", "有", "可", "はい", "true", "yes"})
NO = frozenset({"", "0", "×", "✕", "無", "否", "-", "ー", "－", "いいえ", "false", "no"})


class ShelterFileError(Exception):
    """The file cannot be used; the message names line, column and remedy. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class SheltersFile:
    """What stands in a file; `warnings` are about rows that are taken in all the same."""

    shelters: tuple[Shelter, ...]
    warnings: tuple[str, ...]


def read_shelters(content: bytes, town: Town) -> SheltersFile:
    """Raises ShelterFileError."""
    text = decoded(content)
    if text is None:
        raise ShelterFileError(
            "文字コードを読み取れません。表計算ソフトで「CSV UTF-8」か「CSV」を選んで保存し直してください。"
        )
    try:
        rows = [row for row in enumerate(csv.reader(io.StringIO(text, newline="")), 1) if any(row[1])]
    except csv.Error as error:
        raise ShelterFileError("表として読み取れません。CSVで保存し直してください。") from error
    if not rows:
        raise ShelterFileError("ファイルが空です。指定緊急避難場所一覧のCSVを選んでください。")
    columns = _columns(rows[0][1])
    if len(rows) - 1 > MOST_SHELTERS:
        raise ShelterFileError(f"{len(rows) - 1}か所あります。{MOST_SHELTERS}か所までに分けてください。")
    found: dict[str, Shelter] = {}
    lines: dict[str, int] = {}
    warnings: list[str] = []
    for number, cells in rows[1:]:
        shelter = _shelter(_Row(number, cells, columns), town, warnings)
        if shelter.key in found:
            raise ShelterFileError(
                f"{number}行目の名称「{shelter.name()}」は、{lines[shelter.key]}行目にもあります。"
                "どちらかを消すか、区別できる名称にしてください。"
            )
        found[shelter.key], lines[shelter.key] = shelter, number
    if not found:
        raise ShelterFileError("避難場所の行がありません。2行目から1か所ずつ書いてください。")
    return SheltersFile(tuple(found.values()), tuple(warnings))


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    cells: Sequence[str]
    columns: Mapping[str, int]

    def get(self, names: Sequence[str]) -> str:
        at = next((self.columns[_plain(name)] for name in names if _plain(name) in self.columns), None)
        value = self.cells[at].strip() if at is not None and at < len(self.cells) else ""
        if len(value) > LONGEST_CELL:
            raise ShelterFileError(
                f"{self.number}行目の「{names[0]}」が長すぎます({LONGEST_CELL}文字まで)。短くしてください。"
            )
        return value


def _columns(cells: Sequence[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for index, cell in enumerate(cells):
        columns.setdefault(_plain(cell), index)
    for names in (NAME, LATITUDE, LONGITUDE):
        if not any(_plain(name) in columns for name in names):
            raise ShelterFileError(
                f"1行目に「{names[0]}」の列がありません。指定緊急避難場所一覧のCSVを、1行目の項目名ごと使ってください。"
            )
    return columns


def _plain(text: str) -> str:
    # Published files write ー as ― or －, and put blanks into the names of their columns.
    plain = unicodedata.normalize("NFKC", text).strip().replace(" ", "").replace("―", "ー").replace("-", "ー")
    return plain.replace("(", "").replace(")", "")


def _shelter(row: _Row, town: Town, warnings: list[str]) -> Shelter:
    name = row.get(NAME)
    if not name:
        raise ShelterFileError(f"{row.number}行目の「名称」が空です。書くか、その行を消してください。")
    latitude, longitude = _degrees(row, LATITUDE, 90), _degrees(row, LONGITUDE, 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        warnings.append(f"{row.number}行目「{name}」: 緯度・経度がないため、現在地からはさがせません。")
        latitude = longitude = None
    elif not (20 <= latitude <= 46 and 122 <= longitude <= 154):
        raise ShelterFileError(
            f"{row.number}行目の緯度・経度が日本の外です。入れ替わっていないか確かめてください。"
        )
    address, english = row.get(ADDRESS), row.get(ENGLISH)
    return Shelter(
        key=_key(name),
        names={"ja": name, **({"en": english} if english else {})},
        address=address,
        latitude=latitude,
        longitude=longitude,
        phone=row.get(PHONE),
        area=_area(town, (row.get(PEOPLE), name, address)),
        hazards=tuple(hazard for hazard, names in HAZARDS.items() if _yes(row, names)),
        capacity=_number(row.get(CAPACITY)),
        for_staying=_yes(row, STAYING),
        note=row.get(NOTE),
    )


def _key(name: str) -> str:
    plain = "".join(unicodedata.normalize("NFKC", name).split())
    return f"s-{hashlib.sha256(plain.encode()).hexdigest()[:12]}"


def _degrees(row: _Row, names: Sequence[str], most: int) -> float | None:
    text = unicodedata.normalize("NFKC", row.get(names))
    if not text:
        return None
    try:
        degrees = float(text)
        if not -most <= degrees <= most:
            raise ValueError
    except ValueError as error:
        raise ShelterFileError(
            f"{row.number}行目の「{names[0]}」が「{text}」です。38.0563 のような度の数で書いてください。"
        ) from error
    return degrees


def _yes(row: _Row, names: Sequence[str]) -> bool:
    value = unicodedata.normalize("NFKC", row.get(names)).casefold()
    if value in YES or row.get(names) in YES:
        return True
    if value in NO or row.get(names) in NO:
        return False
    raise ShelterFileError(
        f"{row.number}行目の「{names[0]}」が「{row.get(names)}」です。適しているときは 1 か ○、そうでないときは空にしてください。"
    )


def _number(text: str) -> int | None:
    digits = unicodedata.normalize("NFKC", text).replace(",", "").removesuffix("人").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 7 else None


def _area(town: Town, texts: Sequence[str]) -> str:
    """The district whose name stands in one of the texts; the longest name, for 東船岡 is not 船岡."""
    by_length = sorted(town.areas, key=lambda item: -len(item.name()))
    # The town's own name may be that of a district too.
    plain = [text.replace(town.name, "").replace(town.prefecture, "") for text in texts]
    return next((item.key for text in plain for item in by_length if item.name() in text), "")
