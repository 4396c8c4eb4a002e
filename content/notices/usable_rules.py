"""What of a target cannot be used (closed, unknown, empty, misplaced): refused loudly, so that it matches nobody."""

from __future__ import annotations

from datetime import date

from content.town import Segment, SegmentRule, Town

# What of a rule can be merged and split.
SUCCEEDED = ("category", "area")


class NobodyMatches(Exception):
    """The target cannot be used. `field` names the form field, the message the remedy."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def is_gone(town: Town, kind: str, key: str, today: date) -> bool:
    """Closed, and nothing stands for it."""
    known = town.choosable(kind)
    return all(known[heir].is_over(today) for heir in town.heirs(kind, key, today))


def refuse_misplaced(segment: Segment, rule: SegmentRule) -> None:
    """A part that the field cannot use would otherwise be left out, and the rule reach others."""
    if rule.field == "birth_month":
        ages = rule.children_aged or (0, 0)
        usable = not rule.any_of and not rule.none_of and 0 <= ages[0] <= ages[1]
    else:
        usable = rule.children_aged is None
    if rule.unplaced and not (rule.field == "area" and rule.any_of):
        usable = False
    if not usable:
        raise NobodyMatches(
            "segment",
            f"配信対象「{segment.name()}」の条件({rule.field})の書き方が正しくありません。だれにも送りません。"
            "birth_month には children_aged = [下の年齢, 上の年齢] だけを、ほかの項目には any_of と none_of だけを書いてください。",
        )


def refuse_unknown(town: Town, segment: Segment, rule: SegmentRule, today: date) -> None:
    known = {
        "birth_month": set(),
        "category": {key for key in town.category if not is_gone(town, "category", key, today)},
        "area": {key for key in town.area if not is_gone(town, "area", key, today)},
        "group": set(town.group),
        "language": set(town.languages),
    }[rule.field]
    unknown = sorted({*rule.any_of, *rule.none_of} - known)
    if unknown:
        raise NobodyMatches(
            "segment",
            f"配信対象「{segment.name()}」の条件にある「{unknown[0]}」は、町の設定にないか受付を終えています。",
        )
    if rule.field in SUCCEEDED:
        _refuse_merged(town, segment, rule, today)


def _refuse_merged(town: Town, segment: Segment, rule: SegmentRule, today: date) -> None:
    """To leave out what was merged would leave out the others, too: a person has to decide."""
    known = town.choosable(rule.field)
    for key in rule.none_of:
        if known[key].merged_into and known[key].is_over(today):
            raise NobodyMatches(
                "segment",
                f"配信対象「{segment.name()}」の条件で除いている「{known[key].name()}」は"
                f"「{known[known[key].merged_into].name()}」へ統合されました。条件を選び直してください。",
            )


def empty_rule(segment: Segment, rule: SegmentRule) -> NobodyMatches:
    return NobodyMatches(
        "segment", f"配信対象「{segment.name()}」の条件({rule.field})が空です。だれにも送りません。"
    )
