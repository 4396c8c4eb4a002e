"""What the places in a plan, policy or indicator are called on the screen."""

from __future__ import annotations

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


def label_of(loc: tuple[int | str, ...]) -> str:
    """The words for a place in a record, as pydantic and the differences name it."""
    parts = [str(part) for part in loc if part != "[key]"]
    if not parts:
        return "入力"
    first, rest = parts[0].partition(".")[0], [*parts[0].split(".")[1:], *parts[1:]]
    label = LABELS.get(first, first)
    if first in ("targets", "actuals") and rest:
        year = f"{rest[0]}年度の" if rest[0].isdecimal() and len(rest[0]) == 4 else ""
        return f"{year}{label}{''.join(PARTS.get(part, '') for part in rest[1:])}"
    if first in ("costs", "steps", "remarks") and rest and rest[0].isdecimal():
        return f"{label}の{int(rest[0]) + 1}行目{''.join(PARTS.get(part, '') for part in rest[1:])}"
    return label + "".join(PARTS.get(part, "") for part in rest)
