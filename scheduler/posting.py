"""From the staff's words to an approved notice: check, count, show, store, approve.

Every refusal names the field and the remedy and changes nothing. The checks run when a draft is
stored and again when it is approved, since the town profile may have changed in between.
"""

from __future__ import annotations

from dataclasses import dataclass

from channels.channel import CannotRender, Preview
from content.clock import now_ms, today_jst
from content.ledger.tallies import Tally, progress_state, refusal_reasons, tally
from content.notices import notices, triggers
from content.notices.audience_counts import count_audience
from content.notices.notices import Notice, NoticeSpec
from content.notices.segments import TARGET_KINDS, NobodyMatches, audience
from content.staff import audit
from scheduler.quota import Shortage, shortages_of
from scheduler.timing import timing_problems
from scheduler.town_context import TownContext, goes_by_broadcast, spec_announcement

CHANNEL_NAMES = {"line": "LINE", "mail": "メール", "webhook": "Webhook"}
MODE_NAMES = {"live": "本番", "drill": "訓練", "test": "試験"}
URGENCY_NAMES = {"urgent": "緊急", "routine": "通常"}


@dataclass(frozen=True, slots=True)
class Problem:
    """`field` is the form field to change: category, title, body, channels, mode, target, urgency, or one
    of scheduler.timing."""

    field: str
    message: str


class NoticeRefused(Exception):
    """The draft cannot be used; nothing was changed."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{item.field}: {item.message}" for item in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Impact:
    """What approving would do on one account: how many active registrations, and how it looks."""

    account: str
    channel: str
    count: int
    broadcast: bool
    previews: tuple[Preview, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """A notice and what became of it. `state` as in content.tallies.progress_state."""

    notice: Notice
    state: str
    tallies: tuple[Tally, ...]
    reasons: tuple[tuple[str, str, int], ...]
    shortages: tuple[Shortage, ...] = ()

    @property
    def planned(self) -> int:
        return sum(row.planned for row in self.tallies)

    @property
    def accepted(self) -> int:
        return sum(row.accepted for row in self.tallies)

    @property
    def open(self) -> int:
        return sum(row.open for row in self.tallies)


def find_problems(context: TownContext, spec: NoticeSpec, now: int | None = None) -> list[Problem]:
    """Everything that is wrong with a draft, field by field; empty when it can be stored."""
    problems = [*_choice_problems(context, spec, now_ms() if now is None else now), *_text_problems(spec)]
    unreadable = ("category", "urgency", "channels", "mode", "title", "body")
    if any(item.field in unreadable for item in problems):
        return problems
    return problems + _rendering_problems(context, spec)


async def measure_impact(context: TownContext, spec: NoticeSpec, notice_id: int = 0) -> list[Impact]:
    """Who would get a draft that has no problems, if it went out now. Raises NoticeRefused."""
    accounts = chosen_accounts(context, spec)
    try:
        counts = await count_audience(
            context.database, context.town, spec.target, spec.category, list(accounts), today_jst()
        )
    except NobodyMatches as error:
        raise NoticeRefused([Problem(error.field, str(error))]) from error
    impacts = []
    for key, channel in accounts.items():
        broadcast = goes_by_broadcast(context, spec, key)
        previews = _previews(context, spec, notice_id, key)
        impacts.append(Impact(key, channel, counts[key], broadcast, previews))
    return impacts


async def store(
    context: TownContext, spec: NoticeSpec, *, submission_key: str, staff: str
) -> tuple[int, bool]:
    """Store a draft; its id, and False when the same form had come before. Raises NoticeRefused."""
    _refuse(find_problems(context, spec))
    now = now_ms()
    async with context.database.write() as connection:
        notice_id, created = await notices.create(
            connection, spec, submission_key=submission_key, staff=staff, at=now
        )
        if created:
            await audit.record(
                connection, at=now, actor=staff, action="notice.drafted", subject=f"notice {notice_id}"
            )
    return notice_id, created


async def revise(context: TownContext, notice_id: int, spec: NoticeSpec, *, staff: str) -> bool:
    """Replace a draft's words and choices; False when it is no draft any more. Raises NoticeRefused."""
    _refuse(find_problems(context, spec))
    now = now_ms()
    async with context.database.write() as connection:
        changed = await notices.revise(connection, notice_id, spec, staff=staff, at=now)
        if changed:
            await audit.record(
                connection, at=now, actor=staff, action="notice.revised", subject=f"notice {notice_id}"
            )
    return changed


async def approve(context: TownContext, notice_id: int, *, staff: str, version_id: int | None = None) -> bool:
    """Let a draft go, at once or at its time; False when it was approved or cancelled before.

    With `version_id` (the version that was shown), also False when the words have changed since.

    Raises NoticeRefused when the draft has become unusable, LookupError when there is no such notice.
    """
    found = await find(context, notice_id)
    if found.state == "draft":
        _refuse(find_problems(context, found.spec))
    now = now_ms()
    async with context.database.write(wake="triggers") as connection:
        approved = await notices.approve(connection, notice_id, staff=staff, at=now, version_id=version_id)
        if approved:
            await audit.record(
                connection,
                at=now,
                actor=staff,
                action="notice.approved",
                subject=f"notice {notice_id}",
                urgency=found.spec.urgency,
                mode=found.spec.mode,
                target=found.spec.target.kind,
            )
    return approved


async def cancel(context: TownContext, notice_id: int, *, staff: str) -> bool:
    """A draft, scheduled or held notice never goes out; False once it has fired."""
    now = now_ms()
    async with context.database.write() as connection:
        cancelled = await notices.cancel(connection, notice_id)
        if cancelled:
            await audit.record(
                connection, at=now, actor=staff, action="notice.cancelled", subject=f"notice {notice_id}"
            )
    return cancelled


async def release(context: TownContext, notice_id: int, *, staff: str) -> bool:
    """A person lets a held notice go now after all; False when it is not held."""
    now = now_ms()
    async with context.database.write(wake="triggers") as connection:
        released = await triggers.release(connection, notice_id, at=now)
        if released:
            await audit.record(
                connection, at=now, actor=staff, action="notice.released", subject=f"notice {notice_id}"
            )
    return released


async def find(context: TownContext, notice_id: int) -> Notice:
    """Raises LookupError when there is no such notice."""
    async with context.database.read() as connection:
        found = await notices.get(connection, notice_id)
    if found is None:
        raise LookupError(f"no notice {notice_id}")
    return found


async def status(context: TownContext, notice_id: int) -> Status:
    """Raises LookupError when there is no such notice."""
    async with context.database.read() as connection:
        found = await notices.get(connection, notice_id)
        if found is None:
            raise LookupError(f"no notice {notice_id}")
        tallies = await tally(connection, notice_id)
        reasons = await refusal_reasons(connection, notice_id)
        shortages = await shortages_of(connection, notice_id)
    state = progress_state(found, tallies)
    return Status(found, state, tuple(tallies), tuple(reasons), tuple(shortages))


def chosen_accounts(context: TownContext, spec: NoticeSpec) -> dict[str, str]:
    """account key → channel: for each channel the account that carries the notice's mode."""
    chosen = {}
    for channel in spec.channels:
        fitting = context.town.accounts_for(channel, spec.mode)
        if fitting:
            chosen[fitting[0].key] = channel
    return chosen


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise NoticeRefused(problems)


def _choice_problems(context: TownContext, spec: NoticeSpec, now: int) -> list[Problem]:
    problems = []
    if spec.urgency not in URGENCY_NAMES:
        problems.append(Problem("urgency", "「緊急」か「通常」を選んでください。"))
    if spec.target.kind not in TARGET_KINDS:
        problems.append(Problem("target", "宛先の決め方を選んでください。"))
    try:
        audience(context.town, spec.target, spec.category, today_jst(now))
    except NobodyMatches as error:
        problems.append(Problem(error.field, str(error)))
    problems += [Problem(*found) for found in timing_problems(spec, now)]
    return problems + _channel_problems(context, spec)


def _channel_problems(context: TownContext, spec: NoticeSpec) -> list[Problem]:
    if spec.mode not in MODE_NAMES:
        return [Problem("mode", "「本番」「訓練」「試験」のどれかを選んでください。")]
    if not spec.channels:
        return [Problem("channels", "配信手段を1つ以上選んでください。")]
    unknown = [channel for channel in spec.channels if channel not in context.town.channels]
    if unknown:
        known = "、".join(context.town.channels)
        return [Problem("channels", f"「{unknown[0]}」という配信手段はありません。使えるのは {known} です。")]
    missing = [channel for channel in spec.channels if not context.town.accounts_for(channel, spec.mode)]
    if missing:
        names = "、".join(CHANNEL_NAMES.get(channel, channel) for channel in missing)
        mode = MODE_NAMES[spec.mode]
        return [
            Problem(
                "mode",
                f"{names} には「{mode}」を送れるアカウントがありません。{mode}が住民に本番として届くのを防ぐため、"
                f"送れません。町の設定でそのアカウントに{mode}を許すか(also_carries)、その配信手段を外してください。",
            )
        ]
    return []


def _text_problems(spec: NoticeSpec) -> list[Problem]:
    problems = []
    for language, (title, body) in spec.texts.items():
        suffix = "" if language == "ja" else f"({language})"
        if not title.strip():
            problems.append(Problem("title", f"件名{suffix}を書いてください。"))
        if not body.strip():
            problems.append(Problem("body", f"本文{suffix}を書いてください。"))
    if "ja" not in spec.texts:
        problems.append(Problem("title", "日本語の件名と本文を書いてください。"))
    return problems


def _rendering_problems(context: TownContext, spec: NoticeSpec) -> list[Problem]:
    announced = spec_announcement(context, spec)
    problems = []
    for key in chosen_accounts(context, spec):
        channel = context.open_channel(context.town.account[key])
        for text in announced.texts:
            try:
                channel.prepare(announced, text.language)
            except CannotRender as error:
                problem = Problem(error.field, error.message)
                if problem not in problems:
                    problems.append(problem)
    return problems


def _previews(context: TownContext, spec: NoticeSpec, notice_id: int, account: str) -> tuple[Preview, ...]:
    announced = spec_announcement(context, spec, notice_id=notice_id)
    channel = context.open_channel(context.town.account[account])
    return tuple(channel.preview(announced, text.language) for text in announced.texts)
