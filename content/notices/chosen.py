"""A segment without a name: the rules that somebody ticked for one notice, written out and in words.

One representation with the named segments: the same rules, checked and asked by `content.notices.segments`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from content.clock import today_jst
from content.town import Named, SegmentRule, Town

RULES = TypeAdapter(tuple[SegmentRule, ...])
LANGUAGE_NAMES = {"ja": "日本語", "ja-easy": "やさしい日本語", "en": "英語"}
FIELD_NAMES = {
    "category": "分野",
    "area": "地区",
    "group": "グループ",
    "language": "ことば",
    "birth_month": "子どもの年齢",
}


def write_rules(rules: Sequence[SegmentRule]) -> str:
    """As the key of a target. The same choice is always the same text."""
    plain = [rule.model_dump(mode="json", exclude_defaults=True) for rule in rules]
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def read_rules(key: str) -> tuple[SegmentRule, ...] | None:
    """None for a name. What cannot be read has no rule, and so matches nobody."""
    if not key.startswith("["):
        return None
    try:
        return RULES.validate_json(key)
    except ValidationError:
        return ()


def describe_rules(town: Town, rules: Sequence[SegmentRule], category: str = "") -> str:
    """地区が船岡・槻木(地区を登録していない人も含む)、子どもが0〜2歳"""
    always = category in town.category and town.category[category].always
    return "、".join(_in_words(town, rule, always) for rule in rules) or "条件なし(だれにも送りません)"


def _in_words(town: Town, rule: SegmentRule, always: bool) -> str:
    if rule.field == "birth_month":
        youngest, oldest = rule.children_aged or (0, 0)
        return f"子どもが{youngest}歳" if youngest == oldest else f"子どもが{youngest}〜{oldest}歳"
    label = FIELD_NAMES[rule.field]
    parts = []
    if rule.any_of:
        also = rule.field == "area" and (rule.unplaced or always)
        more = "(地区を登録していない人も含む)" if also else ""
        parts.append(f"{label}が{'・'.join(_name(town, rule.field, key) for key in rule.any_of)}{more}")
    if rule.none_of:
        parts.append(
            f"{label}が{'・'.join(_name(town, rule.field, key) for key in rule.none_of)}のどれでもない"
        )
    return "、".join(parts) or f"{label}の条件が空"


def _name(town: Town, field: str, key: str) -> str:
    if field == "language":
        return LANGUAGE_NAMES.get(key, key)
    if field in ("category", "area"):
        known_now = town.choosable(field)
        now = town.heirs(field, key, today_jst())
        if now != (key,):
            return f"{known_now[key].name()}(いまは{'・'.join(known_now[one].name() for one in now)})"
    known: dict[str, Mapping[str, Named]] = {
        "category": town.category,
        "area": town.area,
        "group": town.group,
    }
    return known[field][key].name() if key in known[field] else key
