"""Who a notice is for: target and rules → one SQL condition. Fails closed.

A rule that is missing, empty, closed or unknown matches nobody, loudly: `audience` raises
NobodyMatches rather than leave a condition out. Everyone is a target of its own, never the
absence of a rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, literal_column, or_, select

from content.choosable import now_called
from content.clock import birth_months, today_jst
from content.database.planner_hints import Scanned
from content.notices.chosen import describe_rules, read_rules
from content.notices.states import TargetKind, TrialKind
from content.notices.trials import TRIAL_NAMES
from content.notices.usable_rules import SUCCEEDED, empty_rule, is_gone, refuse_misplaced, refuse_unknown
from content.notices.usable_rules import NobodyMatches as NobodyMatches
from content.register import trial_addresses
from content.register.imports import has_come_in
from content.register.states import SubscriberState
from content.register.subscribers import preference, subscriber
from content.town import Mode, Segment, SegmentRule, Town

UNNAMED = {"ja": "この場で選んだ条件"}


@dataclass(frozen=True, slots=True)
class Target:
    """宛先の決め方. `key` names the segment or group, "" for the other kinds.

    A segment without a name, chosen for one notice, has its rules written out as its key; a trial its member's number.
    """

    kind: str = TargetKind.SUBSCRIBED
    key: str = ""

    @property
    def is_trial(self) -> bool:
        """Whether it leads to addresses of staff, and to no resident."""
        return self.kind in set(TrialKind)

    def fits(self, mode: str) -> bool:
        """A test goes to staff alone, and to staff goes nothing but a test: it is marked as one."""
        return (mode == Mode.TEST) == self.is_trial

    def describe(self, town: Town, category: str) -> str:
        """As the confirm page and the report print it."""
        name = now_called(town.category, category, today_jst())
        if self.is_trial:
            return TRIAL_NAMES[self.kind]
        chose = f"{name}を選んだ登録者"
        if is_life_critical(town, category):
            chose = f"登録者全員({name}は命に関わる分野です)"
        if self.kind == TargetKind.EVERYONE:
            return "登録者全員(選んだ分野によらない)"
        if self.kind == TargetKind.GROUP:
            return f"グループ「{town.group[self.key].name() if self.key in town.group else self.key}」"
        if self.kind == TargetKind.SEGMENT:
            rules = read_rules(self.key)
            if rules is not None:
                return f"{chose}のうち、{describe_rules(town, rules, category)}"
            segment = town.segment[self.key].name() if self.key in town.segment else self.key
            return f"{chose}のうち、配信対象「{segment}」"
        return chose


def areas_of(town: Town, target: Target) -> tuple[str, ...]:
    """The districts that a target names, whether its rules have a name or not."""
    if target.kind != TargetKind.SEGMENT:
        return ()
    named = town.segment.get(target.key)
    rules = read_rules(target.key) or (named.rules if named else ())
    return tuple(dict.fromkeys(key for rule in rules if rule.field == "area" for key in rule.any_of))


@dataclass(frozen=True, slots=True)
class Choice:
    """Having chosen one of these values, or one from the first to the last of them.

    With `or_none` also having chosen none of this kind at all.
    """

    kind: str
    values: tuple[str, ...]
    is_range: bool = False
    or_none: bool = False

    @property
    def is_single(self) -> bool:
        """Whether a registration has made it at most once."""
        return len(self.values) == 1

    def of(self, rows: FromClause) -> ColumnElement[bool]:
        """The condition on rows of `preference`."""
        return and_(rows.c.kind == self.kind, self._holds(rows.c.value))

    def made_by(self, subscriber_id: ColumnElement[int]) -> ColumnElement[bool]:
        rows = preference.alias()
        # One step to what somebody chose and along it is faster than one step for each value.
        value = rows.c.value if self.is_range else Scanned(rows.c.value)
        # The kind alone, since that stands in the index: for the whole row SQLite would fetch it.
        mine = select(rows.c.kind).where(rows.c.subscriber_id == subscriber_id, rows.c.kind == self.kind)
        made = exists(mine.where(self._holds(value)))
        return or_(made, ~exists(mine)) if self.or_none else made

    def _holds(self, value: ColumnElement[str]) -> ColumnElement[bool]:
        if self.is_range:
            first, last = self.values
            return value.between(first, last)
        return value.in_(self.values)


@dataclass(frozen=True, slots=True)
class Rules:
    """What must hold for a registration: every choice made, none of the others, every language rule.

    `whole_town`: of a life-critical category, which nobody has to have chosen.
    """

    made: tuple[Choice, ...]
    not_made: tuple[Choice, ...] = ()
    languages: tuple[ColumnElement[bool], ...] = ()
    whole_town: bool = False

    def __post_init__(self) -> None:
        if not self.whole_town and all(choice.or_none for choice in self.made):
            raise ValueError("rules without a choice would match everyone")

    def of(self, subscriber_id: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """The conditions on rows of `subscriber`, or on what is joined to them."""
        return [
            *self.languages,
            *(choice.made_by(subscriber_id) for choice in self.made),
            *(~choice.made_by(subscriber_id) for choice in self.not_made),
        ]


def is_life_critical(town: Town, category: str) -> bool:
    """Whether a category reaches every active registration, whatever it chose."""
    return category in town.category and town.category[category].always


def heeds_settings(town: Town, target: Target, category: str) -> bool:
    """Whether a pause and quiet hours count: not in danger to life, not for everyone, not for a trial."""
    return not target.is_trial and target.kind != TargetKind.EVERYONE and not is_life_critical(town, category)


def audience(town: Town, target: Target, category: str, today: date) -> ColumnElement[bool]:
    """The condition on `subscriber` rows: the active ones, of a trial those of staff. Raises NobodyMatches."""
    if target.is_trial:
        return _of_staff(target)
    rules = rules_of(town, target, category, today)
    active = and_(subscriber.c.state == SubscriberState.ACTIVE, has_come_in(subscriber.c.id))
    conditions = [] if rules is None else rules.of(subscriber.c.id)
    if heeds_settings(town, target, category):
        # Asked once: mostly there is nobody whom the others have to be compared with.
        conditions.append(or_(~exists(paused_on(today)), subscriber.c.id.not_in(paused_on(today))))
    return and_(active, *conditions)


def paused_on(today: date) -> Select[tuple[int]]:
    """Who wants only what is life-critical on this day. They are few and have an index of their own, so to ask for
    them costs less than to look at everybody's row; written out, or the index would not serve."""
    rows = subscriber.alias()
    return select(rows.c.id).where(
        rows.c.paused_until != literal_column("''"), rows.c.paused_until >= today.isoformat()
    )


def _of_staff(target: Target) -> ColumnElement[bool]:
    if target.kind == TrialKind.SEEDS:
        return trial_addresses.are_seeds()
    if target.key.isascii() and target.key.isdigit():
        return trial_addresses.owned_by(int(target.key))
    raise NobodyMatches("target", "試し送りをした職員が分からないため、だれにも送りません。")


def rules_of(town: Town, target: Target, category: str, today: date) -> Rules | None:
    """What the target asks for beside a pause, None for everyone. Raises NobodyMatches."""
    known = town.category.get(category)
    if known is None:
        raise NobodyMatches("category", f"分野「{category}」は町の設定にありません。一覧から選んでください。")
    if is_gone(town, "category", category, today):
        raise NobodyMatches(
            "category", f"分野「{known.name()}」は受付を終えています。別の分野を選んでください。"
        )
    if target.kind == TargetKind.EVERYONE:
        return None
    if target.kind == TargetKind.SUBSCRIBED:
        if known.always:
            return None
        return Rules((Choice("category", town.reach("category", category, today)),))
    if target.kind == TargetKind.GROUP:
        if target.key not in town.group:
            raise NobodyMatches(
                "group", f"グループ「{target.key}」は町の設定にありません。一覧から選んでください。"
            )
        return Rules((Choice("group", (target.key,)),))
    if target.kind == TargetKind.SEGMENT:
        return _segment_rules(town, open_segment(town, target.key), category, today)
    raise NobodyMatches("target", f"宛先の決め方「{target.kind}」はありません。")


def open_segment(town: Town, key: str) -> Segment:
    """The segment of this name, or the one whose rules are written out. Raises NobodyMatches."""
    rules = read_rules(key)
    segment = town.segment.get(key) if rules is None else Segment(key="chosen", names=UNNAMED, rules=rules)
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


def _segment_rules(town: Town, segment: Segment, category: str, today: date) -> Rules:
    made: list[Choice] = []
    not_made: list[Choice] = []
    languages: list[ColumnElement[bool]] = []
    for rule in segment.rules:
        refuse_misplaced(segment, rule)
        refuse_unknown(town, segment, rule, today)
        if rule.field == "birth_month" and rule.children_aged is not None:
            made.append(Choice("birth_month", birth_months(*rule.children_aged, today), is_range=True))
        elif not rule.any_of and not rule.none_of:
            raise empty_rule(segment, rule)
        elif rule.field == "language":
            languages += _language(rule)
        else:
            # In danger to life also those who never said where they live.
            or_none = rule.field == "area" and (rule.unplaced or town.category[category].always)
            wanted, others = (_reach(town, rule.field, keys, today) for keys in (rule.any_of, rule.none_of))
            made += [Choice(rule.field, wanted, or_none=or_none)] if wanted else []
            not_made += [Choice(rule.field, others)] if others else []
    if town.category[category].always:
        return Rules(tuple(made), tuple(not_made), tuple(languages), whole_town=True)
    # Last, since it is made by most: the others leave fewer to ask about it, and to begin with it is the
    # best of several large ones, because its rows stand in the order of ids.
    made.append(Choice("category", town.reach("category", category, today)))
    return Rules(tuple(made), tuple(not_made), tuple(languages))


def _reach(town: Town, field: str, keys: tuple[str, ...], today: date) -> tuple[str, ...]:
    """Of what was merged or split, also those who are registered under the other key."""
    if field not in SUCCEEDED:
        return keys
    return tuple(dict.fromkeys(meant for key in keys for meant in town.reach(field, key, today)))


def _language(rule: SegmentRule) -> Iterable[ColumnElement[bool]]:
    if rule.any_of:
        yield subscriber.c.language.in_(rule.any_of)
    if rule.none_of:
        yield subscriber.c.language.not_in(rule.none_of)
