"""What makes a draft unusable: field by field, with the remedy. What is only doubtful stands in examination.py."""

from __future__ import annotations

from dataclasses import dataclass

from channels.channel import CannotRender
from content.accounts import POSTING
from content.check_rules import Level
from content.clock import today_jst
from content.notices.checks.examine import examine_words
from content.notices.notices import NoticeSpec
from content.notices.segments import NobodyMatches, audience
from content.notices.states import NoticeKind, TargetKind, TrialKind
from scheduler.timing import timing_problems
from scheduler.town_context import (
    TownContext,
    accounts_for,
    chosen_accounts,
    spec_announcement,
    spoken_languages,
)
from scheduler.words import CHANNEL_NAMES, MODE_NAMES, URGENCY_NAMES

NOT_TO_RESIDENTS = (
    "試験は住民には送れません。種別を「本番」か「訓練」にしてください。"
    "届き方を試すときは、確認の画面の「自分に試し送り」で、自分の試し送り先にだけ送れます。"
)
NOT_POSTED = (
    "選んだSNSには、この分野と種別のお知らせを出すアカウントがありません(グループあてのお知らせはSNSに出しません)。"
    "ほかの配信手段も選んでください。"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """`field` is the form field to change: category, title, body, channels, mode, target, urgency, or one
    of scheduler.timing."""

    field: str
    message: str
    language: str = "ja"
    # Of docs/checks.md.
    code: str = "unusable"


class NoticeRefused(Exception):
    """The draft cannot be used, or not without a yes; nothing was changed."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{item.field}: {item.message}" for item in problems))
        self.problems = problems


def find_problems(context: TownContext, spec: NoticeSpec, now: int | None = None) -> list[Problem]:
    """Everything that is wrong with a draft, field by field; empty when it can be stored."""
    moment = context.database.now() if now is None else now
    problems = [*_choice_problems(context, spec, moment), *_text_problems(context, spec, moment)]
    unreadable = ("category", "urgency", "channels", "mode", "title", "body")
    if any(item.field in unreadable for item in problems):
        return problems
    return problems + _rendering_problems(context, spec)


def refuse_problems(context: TownContext, spec: NoticeSpec) -> None:
    """Raises NoticeRefused when something is wrong with the draft."""
    problems = find_problems(context, spec)
    if problems:
        raise NoticeRefused(problems)


def _choice_problems(context: TownContext, spec: NoticeSpec, now: int) -> list[Problem]:
    problems = []
    if spec.urgency not in URGENCY_NAMES:
        problems.append(Problem("urgency", "「緊急」か「通常」を選んでください。"))
    if spec.target.kind not in {*TargetKind, *TrialKind}:
        problems.append(Problem("target", "宛先の決め方を選んでください。"))
    try:
        if spec.kind == NoticeKind.ORIGINAL:
            audience(context.town, spec.target, spec.category, today_jst(now))
    except NobodyMatches as error:
        problems.append(Problem(error.field, str(error)))
    problems += [Problem(*found) for found in timing_problems(spec, now)]
    return problems + _channel_problems(context, spec)


def _channel_problems(context: TownContext, spec: NoticeSpec) -> list[Problem]:
    if spec.mode not in MODE_NAMES:
        return [Problem("mode", "「本番」「訓練」「試験」のどれかを選んでください。")]
    if not spec.target.fits(spec.mode):
        return [Problem("mode", NOT_TO_RESIDENTS)]
    if not spec.channels:
        return [Problem("channels", "配信手段を1つ以上選んでください。")]
    unknown = [channel for channel in spec.channels if channel not in context.town.channels]
    if unknown:
        known = "、".join(context.town.channels)
        return [Problem("channels", f"「{unknown[0]}」という配信手段はありません。使えるのは {known} です。")]
    found = {channel: accounts_for(context.town, spec, channel) for channel in spec.channels}
    if not any(found.values()) and POSTING.issuperset(spec.channels):
        return [Problem("channels", NOT_POSTED)]
    # Which account posts what the profile decides by category; where none does, nothing is shown.
    missing = [channel for channel, accounts in found.items() if not accounts and channel not in POSTING]
    if missing:
        names = "、".join(CHANNEL_NAMES.get(channel, channel) for channel in missing)
        mode = MODE_NAMES[spec.mode]
        return [
            Problem(
                "mode",
                f"{names} には「{mode}」を送れるアカウントがありません。{mode}が住民に本番として届くのを防ぐため、"
                f"送れません。{mode}を送れるようにするには町の設定を変えるよう管理者に頼むか、その配信手段を外してください。",
            )
        ]
    return []


def _text_problems(context: TownContext, spec: NoticeSpec, now: int) -> list[Problem]:
    return [
        Problem(item.field, item.message + item.remedy, item.language, item.code)
        for item in examine_words(spec, context.town, now)
        if item.level == Level.BLOCKING
    ]


def _rendering_problems(context: TownContext, spec: NoticeSpec) -> list[Problem]:
    announced = spec_announcement(context, spec)
    problems = []
    for key in chosen_accounts(context, spec):
        account = context.town.account[key]
        channel = context.channel_of(account)
        for language in spoken_languages(account, announced):
            try:
                channel.prepare(announced, language)
            except CannotRender as error:
                problem = Problem(error.field, error.message, error.language)
                if problem not in problems:
                    problems.append(problem)
    return problems
