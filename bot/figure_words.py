"""The words of counts: measures, reasons of coming and going, routes, and why a figure is missing."""

from __future__ import annotations

from content.figures.months import MonthFigure
from content.figures.movements import Measure, Move
from content.figures.observed import DayState
from content.notices.chosen import LANGUAGE_NAMES
from content.town import Category, Mode, Town
from scheduler.words import CHANNEL_NAMES

MEASURE_WORDS = {
    Measure.TOTAL: "配信手段",
    Measure.CATEGORY: "分野",
    Measure.AREA: "地区",
    Measure.LANGUAGE: "ことば",
    Measure.GROUP: "グループ",
    Measure.ROUTE: "登録の入り口",
}
ROUTE_WORDS = {
    "line": "LINE",
    "mail": "メール",
    "web": "ホームページ",
    "counter": "窓口",
    "import": "取り込み",
    "service": "サービス",
    "profile": "区分の変更",
    "": "記録なし",
}
MOVE_WORDS = {
    Move.JOINED: "登録",
    Move.RETURNED: "再登録",
    Move.LEFT: "終了",
    Move.CHOSEN: "選び直しで増",
    Move.DROPPED: "選び直しで減",
}
# Of the reasons that events bear; one that is not here is shown as it is.
REASON_WORDS = {
    "follow": "友だち追加",
    "confirmed": "確認メールから登録",
    "form": "申込画面から登録",
    "import": "一覧の取り込み",
    "adopted": "前からの友だちの取り込み",
    "undone": "取り消して戻った",
    "blocked": "ブロック",
    "unsubscribed": "本人が終了",
    "resident": "本人の操作",
    "staff": "窓口での終了",
    "list_ended": "一覧による終了",
    "erased": "消去",
    "membership_over": "会員の期限",
    "demo": "架空の登録",
    "merged": "区分の統合(引き継ぎ)",
    "split": "区分の分割(引き継ぎ)",
}
NO_AREA = "未選択"
MARKS = {
    DayState.OBSERVED: "",
    DayState.UNOBSERVED: "観測なし",
    DayState.BEFORE: "サービス開始前",
    DayState.TO_COME: "これから",
}


def reason_words(reason: str) -> str:
    return REASON_WORDS.get(reason, reason)


def value_words(town: Town, measure: str, value: str) -> str:
    """The name of a cell; a key that the profile does not have any more stays a key."""
    match measure:
        case Measure.CATEGORY:
            return town.category[value].name() if value in town.category else value
        case Measure.AREA:
            return (town.area[value].name() if value in town.area else value) if value else NO_AREA
        case Measure.GROUP:
            return town.group[value].name() if value in town.group else value
        case Measure.LANGUAGE:
            return LANGUAGE_NAMES.get(value, value)
        case Measure.ROUTE:
            return ROUTE_WORDS.get(value, value)
    return "全体"


def reach_words(category: Category | None) -> str:
    """What being counted in a category means."""
    if category is not None and category.always:
        return "選ばなくても、有効な登録すべてに届く分野"
    return ""


def is_counted(town: Town, account: str) -> bool:
    """Accounts for drills and tests are none of residents; one that left the profile was."""
    known = town.account.get(account)
    return known is None or known.mode == Mode.LIVE


def channel_of(town: Town, account: str) -> str:
    known = town.account.get(account)
    return known.channel if known else account


def channel_words(channel: str) -> str:
    return CHANNEL_NAMES.get(channel, channel)


def mark_of(figure: MonthFigure) -> str:
    """Why a figure is missing or holds less than it seems, "" when it is whole."""
    if figure.survivors:
        return "取り込んだ記録(いまも有効な登録だけ。終了は分かりません)"
    if figure.state == DayState.BEFORE:
        return MARKS[DayState.BEFORE]
    if figure.unobserved_days:
        return f"観測なし{figure.unobserved_days}日"
    return "記録なし" if figure.active is None else ""
