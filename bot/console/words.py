"""The words of the console: states, languages, channels, shortages. Those of reasons stand with the reasons."""

from __future__ import annotations

from collections.abc import Sequence

from channels.reasons import find_reason
from content.ledger.account_outages import AccountOutage
from content.ledger.tallies import Tally
from content.notices.chosen import LANGUAGE_NAMES
from content.notices.notices import NoticeSpec
from content.notices.states import NoticeKind, TargetKind
from content.town import Mode, Town, Urgency
from scheduler.attention import needs_act
from scheduler.words import CHANNEL_NAMES, MODE_NAMES, URGENCY_NAMES

# state of content.ledger.tallies.progress_state → (word, what it means)
STATES = {
    "draft": ("下書き", "まだ送っていません。確認画面で送信できます。"),
    "submitted": ("承認待ち", "別の人の承認を待っています。"),
    "scheduled": ("予約", "決めた日時になったら送ります。"),
    "waiting": ("まもなく配信", "承認されました。配信を始めるところです。"),
    "held": ("保留", "自動では送りません。職員の判断を待っています。"),
    "cancelled": ("取消", "送らずに取り消しました。"),
    "planning": ("配信中", "宛先をまとめながら送っています。"),
    "sending": ("配信中", "送っています。"),
    "resting": (
        "朝を待っています",
        "残りは、おやすみ時間が終わってから、または朝のまとめで送ります。止めることも、取り消しを知らせることもできます。",
    ),
    "recurring": ("くり返し中", "決めた日が来るたびに送ります。"),
    "ended": ("終了", "くり返しは終わりの日まで済みました。"),
    "stopped": ("配信中止", "職員が配信を止めました。まだ送っていなかった分は送りません。"),
    "finished": ("配信済み", "すべて受け付けられました。"),
    "usual": (
        "配信済み",
        "送り終えました。受け付けられなかった宛先がわずかにありますが、ふだんからある範囲で、対応は不要です。",
    ),
    "partly": (
        "一部不達",
        "送り終えましたが、受け付けられなかった宛先があります。下の理由を確かめてください。",
    ),
    "nobody": ("宛先なし", "当てはまる登録がなかったため、だれにも送っていません。"),
}

# What mends it when an account can send no more this month.
MORE_QUOTA = (
    "LINEの料金プランか追加メッセージの上限を上げるか、宛先を絞ってください。"
    "急ぐときは、メールや防災無線など別の手段で伝えてください。"
)


def approval_word(spec: NoticeSpec) -> str:
    """What a person types to send: another word for each kind, so that habit cannot send an alarm."""
    if spec.target.kind == TargetKind.EVERYONE:
        return "全員" if spec.mode == Mode.LIVE else f"全員{MODE_NAMES[spec.mode]}"
    if spec.mode != Mode.LIVE:
        return f"{MODE_NAMES[spec.mode]}配信"
    if spec.kind != NoticeKind.ORIGINAL:
        return "訂正配信" if spec.kind == NoticeKind.CORRECTION else "取消配信"
    if spec.rule:
        return "くり返し配信"
    return "緊急配信" if spec.urgency == Urgency.URGENT else "配信"


def state_words(state: str, spec: NoticeSpec) -> tuple[str, str]:
    """The word for a state and what it means."""
    if state == "scheduled" and spec.at is None:
        state = "waiting"
    return STATES.get(state, (state, ""))


def shown_state(state: str, tallies: Sequence[Tally], reasons: Sequence[tuple[str, str, int]]) -> str:
    """As progress_state, but what is partly done and needs no act is `usual`."""
    return "usual" if state == "partly" and not needs_act(tallies, reasons) else state


def category_words(town: Town, key: str) -> str:
    return town.category[key].name() if key in town.category else key


def channel_words(key: str) -> str:
    return CHANNEL_NAMES.get(key, key)


def language_words(tag: str) -> str:
    return LANGUAGE_NAMES.get(tag, tag)


def mode_words(mode: str) -> str:
    return MODE_NAMES.get(mode, mode)


def urgency_words(urgency: str) -> str:
    return URGENCY_NAMES.get(urgency, urgency)


def account_words(town: Town, key: str) -> str:
    """The way out that an account is, as staff call it."""
    if key not in town.account:
        return key
    account = town.account[key]
    return channel_words(account.channel) + (f"({account.topic})" if account.topic else "")


def outage_words(town: Town, item: AccountOutage) -> tuple[str, str]:
    """The headline of the banner and what to do."""
    what, remedy = reason_words(item.reason)
    if item.reason == "quota":
        return f"{account_words(town, item.account)}:{what}", MORE_QUOTA
    waiting = f"待っている{item.waiting:,}件は、直りしだい自動で送ります。"
    return f"{account_words(town, item.account)}で送れません:{what}", remedy + waiting


def reason_words(code: str) -> tuple[str, str]:
    """What happened and what to do next."""
    reason = find_reason(code)
    return reason.what, reason.remedy
