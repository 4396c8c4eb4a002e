"""Who a notice is for: target and rules → one SQL condition. Fails closed.

A rule that is missing, empty, closed or unknown matches nobody, loudly: `audience` raises
NobodyMatches rather than leave a condition out. Everyone is a target of its own, never the
absence of a rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.subscribers import preference, subscriber
from content.town import Rule, Segment, Town, birth_months

TargetKind = Literal["subscribed", "segment", "group", "everyone"]
TARGET_KINDS: tuple[str, ...] = get_args(TargetKind)


class NobodyMatches(Exception):
    """The target cannot be used. `field` names the form field, the message the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Target:
    """宛先の決め方. `key` names the segment or group, "" for the other kinds."""

    kind: str = "subscribed"
    key: str = ""

    def describe(self, town: Town, category: str) -> str:
        """As the confirm page and the report print it."""
        name = town.category[category].name() if category in town.category else category
        if self.kind == "everyone":
            return "登録者全員(選んだ分野によらない)"
        if self.kind == "group":
            group = town.group[self.key].name() if self.key in town.group else self.key
            return f"グループ「{group}」"
        if self.kind == "segment":
            segment = town.segment[self.key].name() if self.key in town.segment else self.key
            return f"配信対象「{segment}」(「{name}」を選んだ登録者のうち)"
        return f"「{name}」を選んだ登録者"


def audience(town: Town, target: Target, category: str, today: date) -> ColumnElement[bool]:
    """The condition on `subscriber` rows, active ones only. Raises NobodyMatches."""
    active = subscriber.c.state == "active"
    known = town.category.get(category)
    if known is None:
        raise NobodyMatches("category", f"分野「{category}」は町の設定にありません。一覧から選んでください。")
    if known.closed:
        raise NobodyMatches(
            "category", f"分野「{known.name()}」は受付を終えています。別の分野を選んでください。"
        )
    if target.kind == "everyone":
        return active
    if target.kind == "subscribed":
        return and_(active, _chose("category", [category]))
    if target.kind == "group":
        if target.key not in town.group:
            raise NobodyMatches(
                "group", f"グループ「{target.key}」は町の設定にありません。一覧から選んでください。"
            )
        return and_(active, _chose("group", [target.key]))
    if target.kind == "segment":
        rules = _segment_rules(town, _open_segment(town, target.key), today)
        return and_(active, _chose("category", [category]), *rules)
    raise NobodyMatches("target", f"宛先の決め方「{target.kind}」はありません。")


async def count_audience(
    connection: AsyncConnection, town: Town, target: Target, category: str, accounts: list[str], today: date
) -> dict[str, int]:
    """Active registrations per account that the target matches now. Raises NobodyMatches."""
    matches = audience(town, target, category, today)
    rows = await connection.execute(
        select(subscriber.c.account, func.count())
        .where(matches, subscriber.c.account.in_(accounts))
        .group_by(subscriber.c.account)
    )
    counts = {account: int(count) for account, count in rows}
    return {account: counts.get(account, 0) for account in accounts}


def _open_segment(town: Town, key: str) -> Segment:
    segment = town.segment.get(key)
    if segment is None:
        raise NobodyMatches("segment", f"配信対象「{key}」は町の設定にありません。一覧から選んでください。")
    if segment.closed:
        raise NobodyMatches("segment", f"配信対象「{segment.name()}」は使用を終えています。")
    if not segment.rules:
        raise NobodyMatches(
            "segment",
            f"配信対象「{segment.name()}」には条件がありません。だれにも送りません。条件を足すか、宛先を「全員」にしてください。",
        )
    return segment


def _segment_rules(town: Town, segment: Segment, today: date) -> list[ColumnElement[bool]]:
    return [_condition(town, segment, rule, today) for rule in segment.rules]


def _condition(town: Town, segment: Segment, rule: Rule, today: date) -> ColumnElement[bool]:
    _refuse_misplaced(segment, rule)
    if rule.field == "birth_month":
        if rule.children_aged is None:
            raise _empty(segment, rule)
        first, last = birth_months(*rule.children_aged, today)
        return _exists(preference.c.kind == "birth_month", preference.c.value.between(first, last))
    _refuse_unknown(town, segment, rule)
    parts: list[ColumnElement[bool]] = []
    if rule.field == "language":
        if rule.any_of:
            parts.append(subscriber.c.language.in_(rule.any_of))
        if rule.none_of:
            parts.append(subscriber.c.language.not_in(rule.none_of))
    else:
        if rule.any_of:
            parts.append(_chose(rule.field, list(rule.any_of)))
        if rule.none_of:
            parts.append(~_chose(rule.field, list(rule.none_of)))
    if not parts:
        raise _empty(segment, rule)
    return and_(*parts)


def _refuse_misplaced(segment: Segment, rule: Rule) -> None:
    """A part that the field cannot use would otherwise be left out, and the rule reach others."""
    if rule.field == "birth_month":
        ages = rule.children_aged or (0, 0)
        usable = not rule.any_of and not rule.none_of and 0 <= ages[0] <= ages[1]
    else:
        usable = rule.children_aged is None
    if not usable:
        raise NobodyMatches(
            "segment",
            f"配信対象「{segment.name()}」の条件({rule.field})の書き方が正しくありません。だれにも送りません。"
            "birth_month には children_aged = [下の年齢, 上の年齢] だけを、ほかの項目には any_of と none_of だけを書いてください。",
        )


def _refuse_unknown(town: Town, segment: Segment, rule: Rule) -> None:
    known = {
        "category": {key for key, item in town.category.items() if not item.closed},
        "area": set(town.area),
        "group": set(town.group),
        "language": set(town.languages),
    }[rule.field]
    unknown = sorted({*rule.any_of, *rule.none_of} - known)
    if unknown:
        raise NobodyMatches(
            "segment",
            f"配信対象「{segment.name()}」の条件にある「{unknown[0]}」は、町の設定にないか受付を終えています。",
        )


def _empty(segment: Segment, rule: Rule) -> NobodyMatches:
    return NobodyMatches(
        "segment", f"配信対象「{segment.name()}」の条件({rule.field})が空です。だれにも送りません。"
    )


def _chose(kind: str, values: list[str]) -> ColumnElement[bool]:
    return _exists(preference.c.kind == kind, preference.c.value.in_(values))


def _exists(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(preference.c.subscriber_id == subscriber.c.id, *conditions)
