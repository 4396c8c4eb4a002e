"""What is wrong now, or will be in some days: asked of the ledger, the clock and the disk. Nothing here knows who is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from channels.reasons import find_reason
from content.clock import DAY, MINUTE, SECOND, words
from content.figures import snapshots
from content.ledger import account_health, self_tests
from content.ledger.account_health import AccountHealth
from content.ledger.account_outages import find_outages
from content.notices import triggers
from content.register import friend_list, inbound_events
from content.staff import machines
from scheduler.alarm_codes import AlarmCode
from scheduler.occurrence_words import coming_without_words
from scheduler.town_context import TownContext
from scheduler.words import CHANNEL_NAMES

# Waiting for so long, with nothing accepted in that time, is silence.
SILENT = 10 * MINUTE
# Whatever is accepted meanwhile, what waits for longer than this is told of.
OLD = 60 * MINUTE
OVERDUE = 2 * MINUTE
# A probe of an account that fails for so long; shorter breaks mend themselves.
UNREACHED = 10 * MINUTE
STUCK = 5 * MINUTE
QUOTA_SHARE = 0.8
# Seconds; the answer that tells of it may have taken some.
CLOCK_OFF = 30
KEY_ENDS_WITHIN = 14 * DAY
# Both must be undercut: five percent of a large disk are plenty.
FREE_SHARE, FREE_BYTES = 0.05, 2 * 2**30


@dataclass(frozen=True, slots=True)
class Trouble:
    """`subject` is the key of an account, the name of a machine or process, a number, or "" for what concerns all."""

    code: AlarmCode
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class Disk:
    total: int
    free: int


def disk_of(context: TownContext) -> Disk | None:
    """That of the database; None when it stands on another machine."""
    if not context.database.is_sqlite:
        return None
    found = shutil.disk_usage(context.database.path.parent)
    return Disk(found.total, found.free)


async def find_troubles(
    context: TownContext, disk: Callable[[TownContext], Disk | None] = disk_of
) -> list[Trouble]:
    now = context.database.now()
    async with context.database.read() as connection:
        found = [
            *await _accounts(connection, context, now),
            *await _machine(connection, now),
            *await _coming(connection, now),
            *await _self_test(connection, context),
        ]
    return [*found, *_clock(context), *_short(context), *_unreached(context), *_disk(disk(context))]


async def _accounts(connection: AsyncConnection, context: TownContext, now: int) -> list[Trouble]:
    found = []
    stopped = set()
    for outage in await find_outages(connection, now):
        stopped.add(outage.account)
        waiting = f"待っている宛先は{outage.waiting:,}件です。" if outage.waiting else ""
        detail = f"{_name(context, outage.account)}:{find_reason(outage.reason).what}。{waiting}"
        found.append(Trouble(AlarmCode.ACCOUNT_STOPPED, outage.account, detail))
    for health in await account_health.health_of(connection, list(context.town.account)):
        name = _name(context, health.account)
        if health.account not in stopped:
            found += _waiting(name, health, now)
        found += _quota(name, health)
    for done in await friend_list.comparisons(connection):
        if done.held_back and done.account in context.town.account:
            detail = f"{_name(context, done.account)}:友だち{done.friends:,}件、一覧にない登録{done.held_back:,}件。"
            found.append(Trouble(AlarmCode.FRIENDS_MISSING, done.account, detail))
    return found


def _waiting(name: str, health: AccountHealth, now: int) -> Iterator[Trouble]:
    if not health.waiting or health.oldest is None:
        return
    detail = f"{name}:{words(health.oldest)} から、{health.waiting:,}件が待っています。"
    heard = max(health.oldest, health.last_accepted_at or 0)
    if now - heard > SILENT:
        yield Trouble(AlarmCode.ACCOUNT_SILENT, health.account, detail)
    elif now - health.oldest > OLD:
        yield Trouble(AlarmCode.QUEUE_OLD, health.account, detail)


def _quota(name: str, health: AccountHealth) -> Iterator[Trouble]:
    quota = health.quota
    if quota is not None and quota.limit and quota.used >= quota.limit * QUOTA_SHARE:
        detail = f"{name}:{quota.limit:,}通のうち{quota.used:,}通を使いました。"
        yield Trouble(AlarmCode.QUOTA_HIGH, health.account, detail)


async def _machine(connection: AsyncConnection, now: int) -> list[Trouble]:
    found = []
    overdue = await triggers.due(connection, now - OVERDUE)
    if overdue:
        detail = f"時刻を2分以上過ぎたお知らせが{len(overdue)}件あります。"
        found.append(Trouble(AlarmCode.SENDER_SILENT, "", detail))
    oldest = await inbound_events.oldest_waiting(connection)
    if oldest is not None and now - oldest > STUCK:
        found.append(Trouble(AlarmCode.SOURCE_STUCK, "", f"{words(oldest)} に届いたものから止まっています。"))
    last = await snapshots.newest(connection)
    if last is not None and last.different:
        detail = f"{last.day:%Y-%m-%d} の控え:{last.different}項目が合いません。"
        found.append(Trouble(AlarmCode.FIGURES_DIFFER, "", detail))
    return found


async def _coming(connection: AsyncConnection, now: int) -> list[Trouble]:
    """What will be missing in some days, while there is time to see to it."""
    found = []
    for series, days in await coming_without_words(connection, now):
        named = "、".join(f"{day.month}月{day.day}日" for day in days)
        # With the first of them: when another day is the next to miss, that is told anew.
        subject = f"{series.id} {days[0]}"
        found.append(Trouble(AlarmCode.WORDS_MISSING, subject, f"「{series.title}」の {named}"))
    for item in await machines.everyone(connection):
        if item.is_good(now) and item.expires_at - now < KEY_ENDS_WITHIN:
            detail = f"「{item.name}」の接続キーは {words(item.expires_at)} に終わります。"
            found.append(Trouble(AlarmCode.KEY_ENDS, str(item.id), detail))
    return found


async def _self_test(connection: AsyncConnection, context: TownContext) -> list[Trouble]:
    """The last one that ended decides, whoever began it."""
    last = await self_tests.last_ended(connection)
    if last is None or last.passed:
        return []
    return [
        Trouble(
            AlarmCode.SELF_TEST_FAILED,
            item.account,
            f"{_name(context, item.account)}:{words(last.begun_at)} の自己点検で、宛先{item.expected:,}件のうち"
            f"受付は{item.accepted:,}件でした。{_why(item.reason)}",
        )
        for item in last.accounts
        if not item.passed
    ]


def _why(reason: str) -> str:
    return f"理由:{find_reason(reason).what}。" if reason else ""


def _clock(context: TownContext) -> Iterator[Trouble]:
    clock = context.database.clock
    # A database on the same machine is as wrong as the machine is: what LINE says is right.
    ahead = clock.own_is_ahead / SECOND if clock.own_is_far_off else context.this_process.clock_ahead()
    if clock.own_is_far_off or abs(ahead) > CLOCK_OFF:
        seconds = round(ahead)
        yield Trouble(
            AlarmCode.CLOCK_WRONG,
            context.this_process.machine,
            f"この機器の時計は{abs(seconds):,}秒{'進んで' if seconds > 0 else '遅れて'}います。",
        )


def _short(context: TownContext) -> Iterator[Trouble]:
    if missing := context.this_process.short_of():
        detail = f"足りなくなったもの:{'、'.join(missing)}。"
        yield Trouble(AlarmCode.MACHINE_SHORT, context.this_process.name, detail)


def _unreached(context: TownContext) -> Iterator[Trouble]:
    if accounts := context.this_process.unreached(UNREACHED / SECOND):
        names = "、".join(_name(context, account) for account in accounts)
        yield Trouble(AlarmCode.ACCOUNT_UNREACHED, context.this_process.name, f"つながらないもの:{names}。")


def _disk(disk: Disk | None) -> Iterator[Trouble]:
    if disk is not None and disk.free < FREE_BYTES and disk.free < disk.total * FREE_SHARE:
        yield Trouble(
            AlarmCode.DISK_FULL,
            "",
            f"空きは{disk.free / 2**30:.1f}GB({100 * disk.free // disk.total}%)です。",
        )


def _name(context: TownContext, account: str) -> str:
    known = context.town.account.get(account)
    return account if known is None else CHANNEL_NAMES.get(known.channel, known.channel)
