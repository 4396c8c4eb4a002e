"""What is wrong with a record, in Japanese: the words of pydantic's errors for who types or imports one."""

from __future__ import annotations

from typing import Any

# Type of the error → words; {…} are filled from its context.
WORDS = {
    "missing": "必ず書いてください",
    "extra_forbidden": "この名前の項目はありません。名前を確かめるか、消してください",
    "string_too_long": "{max_length}文字までにしてください",
    "string_too_short": "書いてください(空にできません)",
    "string_pattern_mismatch": "この形では使えません。見本の書き方に合わせてください",
    "string_type": "文字で書いてください",
    "int_parsing": "数字で書いてください",
    "int_type": "数字で書いてください",
    "int_from_float": "整数で書いてください",
    "greater_than_equal": "{ge}以上の数にしてください",
    "less_than_equal": "{le}以下の数にしてください",
    "too_long": "{max_length}個までにしてください",
    "too_short": "{min_length}個以上にしてください",
    "date_from_datetime_parsing": "2026-03-31 のように日付で書いてください",
    "date_parsing": "2026-03-31 のように日付で書いてください",
    "literal_error": "{expected} のどれかにしてください",
    "decimal_parsing": "数字で書いてください",
}


def problem_words(problem: Any) -> str:
    """One error of a ValidationError. What our own models say is Japanese already, or tells the remedy."""
    known = WORDS.get(problem["type"])
    if known is not None:
        return known.format_map(problem.get("ctx", {}))
    return str(problem["msg"]).removeprefix("Value error, ")
