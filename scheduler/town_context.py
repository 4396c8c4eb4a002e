"""What the scheduler works with: the town, its database and keys, and which channel an account has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace

from channels.attached import ShownPicture, ShownPlace
from channels.channel import Announcement, Channel, Text
from channels.links import LinkAnswer, ask_link
from content.accounts import POSTING
from content.clock import DAY, HOUR, now_ms
from content.database import Database
from content.database.identity import PUBLIC_ID_LENGTH
from content.keys import Keys
from content.ledger.states import Lane
from content.notices.attachments import size_of
from content.notices.notices import Notice, NoticeSpec
from content.notices.publicity import is_closed, may_have_page
from content.notices.states import NoticeKind, TargetKind, TrialKind
from content.register.mail_requests import MailRequest
from content.staff.monthly_reports import MonthlyMail
from content.staff.notes import NoteKind
from content.town import Account, Town
from scheduler.exchange_log import ExchangeLog
from scheduler.this_process import ThisProcess
from scheduler.urgent_priority import UrgentPriority

LANES = tuple(Lane)
# How long after its firing a delivery may still go out. A retry key of LINE lives 24 hours; past
# that a repeat would be delivered again.
BUDGET: dict[str, int] = {Lane.URGENT: 2 * HOUR, Lane.ROUTINE: 12 * HOUR, Lane.DIGEST: 12 * HOUR}


@dataclass(frozen=True, slots=True)
class OperatorMessage:
    """What operators read of an alarm, or of its end. Never personal data."""

    subject: str
    body: str
    code: str
    ended: bool


@dataclass(frozen=True, slots=True)
class StaffNote:
    """What a member of staff is told of a notice: that it waits for him, or what became of it.

    `until` is when somebody has to have looked at an urgent one; `late` when that is over.
    """

    id: int
    kind: NoteKind
    channel: str
    address: str = field(repr=False)
    notice_id: int
    title: str
    by: str
    remark: str
    until: int | None
    late: bool


@dataclass(frozen=True, slots=True)
class TownContext:
    """`channel_of(account)` describes the account's channel; who sends opens a session of it.

    `notice_url(public id)` is the public page of a notice. `keep_recipients`: ms that the ledger keeps who was
    sent a notice, after that only figures.
    """

    town: Town
    database: Database
    keys: Keys
    channel_of: Callable[[Account], Channel]
    notice_url: Callable[[str], str]
    keep_recipients: int = 90 * DAY
    ask_link: Callable[[str], Awaitable[LinkAnswer]] = ask_link
    # None when nobody is to be told.
    tell_operators: Callable[[OperatorMessage], Awaitable[None]] | None = None
    # Writes and sends the letter to somebody who asked with a mail address; None when the town sends no mail.
    send_letter: Callable[[MailRequest], Awaitable[None]] | None = None
    # Tells one member of staff; None when there is no way to.
    send_note: Callable[[StaffNote], Awaitable[None]] | None = None
    # Where the daily line of the audit trail goes; None for nowhere.
    keep_audit_line: Callable[[str], Awaitable[None]] | None = None
    # Sends the month's counts to a mailbox of a member of staff; None when the town sends no mail.
    send_month: Callable[[MonthlyMail, str], Awaitable[None]] | None = None
    urgent_priority: UrgentPriority = field(default_factory=UrgentPriority)
    this_process: ThisProcess = field(default_factory=ThisProcess)
    exchanges: ExchangeLog = field(default_factory=ExchangeLog)


def announcement(
    context: TownContext, notice: Notice, corrected: Notice | None = None, kind: NoticeKind | None = None
) -> Announcement:
    """The stored version of a notice, as channels see it; `corrected` is the one that it speaks of.

    `kind` is for a trial: that of the notice whose words it tries.
    """
    return spec_announcement(
        context,
        # What was told to the public or not was decided by the rules of its firing.
        replace(notice.spec, target=notice.aim, kind=kind or notice.kind),
        notice_id=notice.id,
        version_id=notice.version_id,
        public_id=notice.public_id,
        published_at=notice.fired_at or notice.approved_at or notice.created_at,
        closed=not may_have_page(context.town, notice),
        corrected=corrected,
    )


def spec_announcement(
    context: TownContext,
    spec: NoticeSpec,
    *,
    notice_id: int = 0,
    version_id: int = 0,
    # As long as a real one: a preview must not be shorter than what goes out.
    public_id: str = "0" * PUBLIC_ID_LENGTH,
    published_at: int | None = None,
    closed: bool = False,
    corrected: Notice | None = None,
) -> Announcement:
    """A draft as channels see it, for checking and previewing before it is stored."""
    category = context.town.category.get(spec.category)
    names = {language: category.name(language) for language in context.town.languages} if category else {}
    return Announcement(
        notice_id=notice_id,
        version_id=version_id,
        town=context.town.name,
        mode=spec.mode,
        urgency=spec.urgency,
        kind=spec.kind,
        category=spec.category,
        category_names=names,
        texts=tuple(
            Text(language, *spec.texts[language])
            for language in context.town.languages
            if language in spec.texts
        ),
        url="" if closed or is_closed(context.town, spec.target) else context.notice_url(public_id),
        published_at=now_ms() if published_at is None else published_at,
        contact=f"{context.town.office} {context.town.phone}",
        town_names=dict(context.town.names),
        contacts={
            language: f"{name} {context.town.phone}" for language, name in context.town.office_names.items()
        },
        public_id=public_id,
        corrected_titles={tag: title for tag, (title, _) in corrected.spec.texts.items()}
        if corrected
        else {},
        pictures=tuple(
            ShownPicture(f"{context.notice_url(public_id)}/{item.name}", *size_of(item.name), item.alts)
            for item in spec.attached.pictures
        ),
        place=ShownPlace(**asdict(spec.attached.place)) if spec.attached.place else None,
        expires_at=spec.expires,
        silent=spec.target.kind == TrialKind.SEEDS,
        asks_read=spec.asks_read,
    )


def public_page(context: TownContext, notice: Notice) -> str:
    """The address under which everybody may read it once it is out; "" when there is none."""
    shown = notice.state == "approved" and not notice.spec.rule
    return announcement(context, notice).url if shown else ""


def with_channels(town: Town, spec: NoticeSpec) -> NoticeSpec:
    """Without a choice: every channel that carries the mode, and shows nothing to everybody that is not for all."""
    if spec.channels:
        return spec
    carrying = tuple(channel for channel in town.channels if accounts_for(town, spec, channel))
    return replace(spec, channels=carrying or town.channels)


def lane_of(spec: NoticeSpec) -> str:
    """What comes again and again stands behind what somebody wrote for today."""
    return Lane.DIGEST if spec.series is not None else spec.urgency


def goes_by_broadcast(context: TownContext, spec: NoticeSpec, account_key: str) -> bool:
    """Whether one call reaches everyone on the account: the target, the town and the channel say so."""
    account = context.town.account[account_key]
    chosen = spec.target.kind == TargetKind.EVERYONE and account.everyone == "broadcast"
    return chosen and context.channel_of(account).broadcasts


def chosen_accounts(context: TownContext, spec: NoticeSpec) -> dict[str, str]:
    """account key → channel: of each channel the account that carries the notice's mode, and every one that posts
    what it is about."""
    return {
        account.key: channel
        for channel in spec.channels
        for account in accounts_for(context.town, spec, channel)
    }


def accounts_for(town: Town, spec: NoticeSpec, channel: str) -> list[Account]:
    """Through which accounts a notice goes out on a channel; none when none may carry it.

    What is for a closed circle or for staff alone is never posted.
    """
    if channel not in POSTING:
        account = account_for(town, spec, channel)
        return [account] if account else []
    if spec.target.is_trial or is_closed(town, spec.target):
        return []
    return town.posting_accounts(channel, spec.mode, spec.category)


def spoken_languages(account: Account, announced: Announcement) -> tuple[str, ...]:
    """In which languages a notice goes out through an account: one that posts speaks one."""
    known = tuple(text.language for text in announced.texts)
    if not account.posts:
        return known
    return (account.language if account.language in known else "ja",)


def trial_account(town: Town, channel: str) -> Account | None:
    """Through which trials go out: where residents are reached, so that they prove that very way."""
    return town.live_account(channel) or next(
        (item for item in town.accounts if item.channel == channel), None
    )


def account_for(town: Town, spec: NoticeSpec, channel: str) -> Account | None:
    """Through which account a notice reaches readers on a channel; None when none may carry it."""
    if channel in POSTING:
        return None
    if spec.target.is_trial:
        return trial_account(town, channel)
    fitting = town.accounts_for(channel, spec.mode)
    return fitting[0] if fitting else None
