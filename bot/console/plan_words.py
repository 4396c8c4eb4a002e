"""What the places in a plan, policy or indicator are called on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sheets.layouts import LAYOUT_NAMES

LABELS = {
    "name": "名前",
    "town": "自治体",
    "first_year": "始まりの年度",
    "last_year": "終わりの年度",
    "source": "出典",
    "layout": "評価表の形",
    "scales": "評価の尺度",
    "closed": "使用を終える",
    "number": "番号",
    "goal": "基本方針・目標",
    "aim": "施策の内容",
    "owners": "担当課",
    "related": "関連する課",
    "marks": "印",
    "order": "並び順",
    "steps": "取り組む内容",
    "costs": "経費",
    "indicators": "指標",
    "unit": "単位",
    "kind": "値の種類",
    "measured": "数え方",
    "better": "望ましい向き",
    "definition": "定義",
    "department": "担当する課",
    "baseline": "基準値",
    "targets": "目標",
    "actuals": "実績",
    "remarks": "注",
    "count": "登録の数え方",
    "series": "手入力の系列",
}
PARTS = {
    "text": "",
    "as_of": "の現在日",
    "source": "の出典",
    "note": "の注",
    "beside": "の参考",
    "adjustments": "の補正",
    "amount": "の金額",
    "first_year": "の始まりの年度",
    "label": "の時点",
    "month": "の月",
}
CHOICES: Mapping[str, Mapping[Any, str]] = {
    "kind": {"number": "数", "percent": "割合(%)", "text": "文(検討、AAに準拠 など)"},
    "measured": {"cumulative": "年度末の値・累計", "yearly": "その年度に起きた数"},
    "better": {"higher": "多いほどよい", "lower": "少ないほどよい(0件 など)", "keep": "維持する"},
    "layout": LAYOUT_NAMES,
}


def label_of(loc: tuple[int | str, ...]) -> str:
    """The words for a place in a record, as pydantic and the differences name it; "" for the whole."""
    parts = [str(part) for part in loc if part != "[key]"]
    if not parts:
        return ""
    first, rest = parts[0].partition(".")[0], [*parts[0].split(".")[1:], *parts[1:]]
    label = LABELS.get(first, first)
    if first in ("targets", "actuals") and rest:
        year = f"{rest[0]}年度の" if rest[0].isdecimal() and len(rest[0]) == 4 else ""
        return f"{year}{label}{''.join(PARTS.get(part, '') for part in rest[1:])}"
    if first in ("costs", "steps", "remarks") and rest and rest[0].isdecimal():
        return f"{label}の{int(rest[0]) + 1}行目{''.join(PARTS.get(part, '') for part in rest[1:])}"
    return label + "".join(PARTS.get(part, "") for part in rest)


def shown(name: str, text: str) -> str:
    """A tick and a choice in words, everything else as it is."""
    if name.partition(".")[0] in ("count", "indicators", "closed"):
        return "はい" if text else "いいえ"
    return CHOICES.get(name, {}).get(text, text)
