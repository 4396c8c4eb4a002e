"""The circumstances in which a notice is sent, and what is doubtful about them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from content.check_rules import Duty, Level
from content.clock import to_jst, words
from content.notices.checks.finding import Finding, language_name
from content.notices.notices import NoticeSpec
from content.notices.recurrence import holiday_name, next_after
from content.notices.segments import Target
from content.notices.states import NoticeKind, TargetKind
from content.town import Mode, Town, Urgency

NIGHT_BEGINS, NIGHT_ENDS = 21, 7
# So many notices of a category show what is usual.
ENOUGH = 5
FACTOR = 10
NEARLY = 0.96
# Comparing long texts takes time with the square of their length.
COMPARED = 2_000


@dataclass(frozen=True, slots=True)
class SentBefore:
    """A notice that was approved a short time ago. `at` in ms."""

    notice_id: int
    title: str
    body: str
    target: Target
    channels: tuple[str, ...]
    mode: str
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Short:
    """An account that cannot send to everybody this month, in words."""

    channel_name: str
    figures: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known about the moment. None: not known, and nothing is concluded from it.

    `languages`: registrations by the language that they chose. `usual`: how many the last notices of the
    category went to, oldest or newest first. `links`: link → "" (answers), "dead", "private" or "unasked".
    """

    now: int
    total: int | None = None
    languages: Mapping[str, int] = field(default_factory=dict)
    recent: tuple[SentBefore, ...] = ()
    usual: tuple[int, ...] = ()
    short: tuple[Short, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)


def check_circumstances(spec: NoticeSpec, town: Town, around: Circumstances) -> Iterator[Finding]:
    """Everything that the words alone do not tell."""
    yield from _numbers(spec, around)
    yield from _repeated(spec, around)
    yield from _hours(spec, town.checks.duty, around.now)
    yield from _links(around)
    yield from _languages(spec, town, around)
    for item in around.short:
        yield Finding(
            "quota",
            "channels",
            f"{item.channel_name}では、だれにも送られません。{item.figures}",
            "宛先を絞るか、ほかの手段でも伝えてください。",
            # An urgent notice goes out by the other ways at once; the page shows what will not.
            urgent_level=Level.NOTE,
        )


def is_night(at: int) -> bool:
    hour = to_jst(at).hour
    return hour >= NIGHT_BEGINS or hour < NIGHT_ENDS


def is_on_duty(duty: Duty, at: int) -> bool:
    """Whether somebody is at the town hall."""
    moment = to_jst(at)
    working = moment.weekday() in duty.weekdays and not holiday_name(moment.date())
    return working and duty.opens <= f"{moment:%H:%M}" < duty.closes


def is_nearly_same(one: str, other: str) -> bool:
    """The same words but for spaces and signs, or nearly so. 第1報 and 第2報 differ on purpose."""
    first, second = _folded(one), _folded(other)
    if re.findall(r"\d+", first) != re.findall(r"\d+", second):
        return False
    return first == second or (
        min(len(first), len(second)) > 20
        and SequenceMatcher(None, first[:COMPARED], second[:COMPARED], autojunk=False).ratio() >= NEARLY
    )


def median(figures: tuple[int, ...]) -> float:
    ordered = sorted(figures)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _numbers(spec: NoticeSpec, around: Circumstances) -> Iterator[Finding]:
    if around.total is None:
        return
    if not around.total:
        # What corrects another stands on its page too, for whoever left since.
        if spec.at is None and spec.rule is None and spec.kind == NoticeKind.ORIGINAL:
            yield Finding(
                "nobody",
                "target",
                "この宛先に当てはまる登録はありません。",
                "分野・宛先・配信手段のどれかを広げてください。",
            )
        return
    usual = median(around.usual) if len(around.usual) >= ENOUGH else 0
    if not usual or spec.mode != Mode.LIVE or spec.kind != NoticeKind.ORIGINAL:
        return
    if around.total >= usual * FACTOR or around.total * FACTOR <= usual:
        many = "多い" if around.total > usual else "少ない"
        yield Finding(
            "unusual-number",
            "target",
            f"宛先は{around.total:,}件で、この分野のふだん(おおよそ{usual:,.0f}件)より、ずっと{many}です。",
            "宛先の選び方を確かめてください。",
        )


def _repeated(spec: NoticeSpec, around: Circumstances) -> Iterator[Finding]:
    if spec.kind != NoticeKind.ORIGINAL or spec.series is not None or "ja" not in spec.texts:
        return
    for sent in around.recent:
        if sent.mode == spec.mode and _may_meet(spec, sent) and _same_words(spec, sent):
            yield Finding(
                "repeated",
                "body",
                f"同じ内容のお知らせ(番号{sent.notice_id}「{sent.title[:20]}」)を、{words(sent.at)} に出しています。",
                "もう届いていないか、お知らせの一覧で確かめてください。直すときは「訂正を送る」を使います。",
            )
            return


def _same_words(spec: NoticeSpec, sent: SentBefore) -> bool:
    title, body = spec.texts["ja"]
    return is_nearly_same(body, sent.body) and is_nearly_same(title, sent.title)


def _may_meet(spec: NoticeSpec, sent: SentBefore) -> bool:
    """Two different segments or groups, or two ways out, may each get the same words."""
    closed = (TargetKind.SEGMENT, TargetKind.GROUP)
    apart = spec.target != sent.target and spec.target.kind in closed and sent.target.kind in closed
    return not apart and bool(set(spec.channels) & set(sent.channels))


def _hours(spec: NoticeSpec, duty: Duty, now: int) -> Iterator[Finding]:
    at = _first_time(spec, now)
    if spec.mode != Mode.LIVE:
        if at is not None and not is_on_duty(duty, at):
            yield Finding(
                "unattended-drill",
                "at",
                f"訓練・試験が、職員のいない時間({words(at)})に出ます。",
                f"職員のいる時間({duty.opens}〜{duty.closes})にするか、立ち会う人を決めてください。",
            )
    elif spec.urgency == Urgency.ROUTINE and spec.kind == NoticeKind.ORIGINAL:
        if at is not None and is_night(at):
            yield Finding(
                "night-booking",
                "at",
                f"通常のお知らせを、夜間({words(at)})に送る予約です。",
                "午前と午後を取り違えていないか確かめてください。",
            )
        elif at is None and is_night(now):
            yield Finding(
                "night",
                "when",
                "今は夜間(21時〜7時)です。休んでいる方の電話が鳴ります。",
                "急がないものは、日時を指定して朝に送ってください。",
            )


def _first_time(spec: NoticeSpec, now: int) -> int | None:
    """When it goes out, None for at once."""
    if spec.rule is not None:
        first = next_after(spec.rule, now)
        return first.due_at if first else None
    return spec.at


def _links(around: Circumstances) -> Iterator[Finding]:
    for link, state in around.links.items():
        if state == "private":
            yield Finding(
                "link-private",
                "body",
                f"リンク「{link}」は庁内のもので、住民は開けません。",
                "だれでも開けるページのアドレスに直してください。",
            )
        elif state == "dead":
            yield Finding(
                "link-dead",
                "body",
                f"リンク「{link}」が開けません。",
                "アドレスが正しいか、ページが公開されているかを確かめてください。",
                urgent_level=Level.NOTE,
            )
        elif state:
            yield Finding(
                "link-unasked",
                "body",
                f"リンク「{link}」が開けるかどうかは、確かめられませんでした。",
                "急がないときは、一度開いて確かめてください。",
            )


def _languages(spec: NoticeSpec, town: Town, around: Circumstances) -> Iterator[Finding]:
    for language in town.languages:
        number = around.languages.get(language, 0)
        if language in spec.texts or not number:
            continue
        yield Finding(
            "language-missing",
            "title",
            f"{language_name(language)}の文がありません。{language_name(language)}を選んだ{number:,}件は、日本語の文を読むことになります。",
            f"{language_name(language)}の文を足してください。",
            language,
        )


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()
