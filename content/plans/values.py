"""A value as a plan prints it: 2,000 / 約2,800 / 70名以上 / (45.5%) / AA の維持 / – / nothing at all.

What is printed is kept as it is; the number in it, when there is one, is what is calculated with. A dash says
that there is nothing on purpose, a blank that nobody wrote anything: the two stay apart.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from content.town import ProfileModel

DASH = "–"
DASHES = frozenset("-–—―ー−‐")
LONGEST = 200
LARGEST = Decimal(999_999_999)
FIRST_YEAR, LAST_YEAR = 1989, 2150
_NUMBER = re.compile(
    r"\(?(?P<about>約|およそ|概ね)?\s*(?P<number>-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)\s*"
    r"(?:%|件|人|名|台|種類|文|手続|か所|ヵ所|箇所|回|団体|社|戸|世帯|千円|円)?\s*"
    r"(?P<bound>以上|以下|未満|超)?\)?\s*\*?(?:\s*\(.*\))?"
)


def _year(value: Any) -> Any:
    text = unicodedata.normalize("NFKC", str(value)).strip()
    if not (text.isascii() and text.isdecimal() and FIRST_YEAR <= int(text) <= LAST_YEAR):
        raise ValueError(f"年度は西暦4桁で書いてください(「{text[:10]}」ではなく、2026 のように)")
    return int(text)


FiscalYear = Annotated[int, BeforeValidator(_year)]


def plain_text(value: object) -> str:
    """As it is kept: half-width figures, one kind of dash, whole numbers with their commas."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int):
        return f"{value:,}"
    text = unicodedata.normalize("NFKC", str(value)).strip()
    return DASH if text in DASHES else text


def _figure(text: str) -> Decimal | None:
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    try:
        return Decimal(found["number"].replace(",", ""))
    except InvalidOperation:
        return None


class Value(ProfileModel):
    """`text` is what is printed, "" for blank. `number` is given only where words hold a number that the
    text alone does not tell, such as 子育て関係(8). `as_of`: the date of a value that has one of its own."""

    text: Annotated[str, Field(max_length=LONGEST)] = ""
    number: Decimal | None = None
    as_of: date | None = None
    note: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="before")
    @classmethod
    def _from_plain(cls, data: Any) -> Any:
        if isinstance(data, bool) or (isinstance(data, dict) and isinstance(data.get("text"), bool)):
            raise ValueError("数か文字で書いてください")
        if isinstance(data, int | float | str):
            data = {"text": data}
        if isinstance(data, dict) and "text" in data:
            return data | {"text": plain_text(data["text"])}
        return data

    @model_validator(mode="after")
    def _is_in_range(self) -> Value:
        number = self.figure
        if number is not None and not 0 <= number <= LARGEST:
            raise ValueError(f"0 から {LARGEST:,} までの数を書いてください(「{self.text}」ではなく)")
        return self

    @model_serializer(mode="wrap")
    def _short(self, handler: Any, info: Any) -> Any:
        full = handler(self)
        # A target in a file is one word, unless there is more to say.
        return full.get("text", "") if type(self) is Value and set(full) <= {"text"} else full

    @property
    def figure(self) -> Decimal | None:
        """The number to calculate with."""
        return self.number if self.number is not None else _figure(self.text)

    @property
    def is_dash(self) -> bool:
        return self.text == DASH

    @property
    def is_blank(self) -> bool:
        return self.text == ""

    @property
    def about(self) -> str:
        """約 when the number is one of the rough kind, else ""."""
        found = _NUMBER.fullmatch(self.text)
        return "約" if found and found["about"] else ""

    @property
    def bound(self) -> str:
        """以上, 以下, 未満, 超 or ""."""
        found = _NUMBER.fullmatch(self.text)
        return (found["bound"] or "") if found else ""


BLANK = Value()
