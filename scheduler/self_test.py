"""自己点検: each day a silent notice through the whole road to the seed addresses, with a dated proof.

What is due, and what has ended, is asked of the database at each look, so a missed look only delays. A failure
is a trouble (scheduler.alarm_checks) until the next self-test passes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, time

import structlog

from content.clock import HOUR, JST, MINUTE, from_datetime, today_jst, words
from content.database import identity
from content.ledger import self_tests, stopping
from content.ledger.self_tests import AccountProof, SelfTest
from content.ledger.states import DeliveryState
from content.ledger.tallies import Tally, refusal_reasons, tally
from content.notices import maintenance, notice_changes, notices, trial_changes
from content.notices.notices import Notice, NoticeSpec
from content.notices.states import TrialKind, TriggerState
from content.notices.trial_changes import trial_spec
from content.notices.trials import Trial
from content.register import trial_addresses
from content.staff import audit
from content.town import Mode, Town, Urgency
from scheduler.checks import refuse_problems
from scheduler.town_context import TownContext

log = structlog.get_logger(__name__)

# What is open after this time has failed, and is not sent any more.
LONGEST = 15 * MINUTE
# A machine that was off at the time makes up for it for so long.
LATEST = 6 * HOUR
BY_ITSELF = "scheduler"

NO_SEEDS = "自己点検の宛先がまだありません。先に、職員の試し送り先から選んでください。"
IN_MAINTENANCE = "保守モードのあいだは、自己点検を送りません。保守モードを終えてから行ってください。"
HELD = "このデータベースは、控えから戻したか写しの疑いがあるため、何も送りません。先に確かめてください。"
RUNNING = "前の自己点検がまだ続いています。終わってから行ってください。"


class SelfTestRefused(Exception):
    """Not now; the message says why and what to do. Nothing was changed."""


async def look(context: TownContext) -> None:
    """Begin the one that is due, and write down the proof of those that have ended."""
    due_at = due_now(context.town, context.database.now())
    if due_at is not None and not context.database.stands_aside:
        # The page says what is missing; maintenance and a held database have their own words.
        with suppress(SelfTestRefused):
            await begin(context, by=BY_ITSELF, due_at=due_at)
    await end_finished(context)


def due_now(town: Town, now: int) -> int | None:
    """The time of today's self-test when that has come and is not too long ago."""
    if not town.self_test_at:
        return None
    due_at = from_datetime(
        datetime.combine(today_jst(now), time.fromisoformat(town.self_test_at), tzinfo=JST)
    )
    return due_at if due_at <= now <= due_at + LATEST else None


async def begin(context: TownContext, *, by: str, due_at: int | None = None) -> int | None:
    """Its number; None when the one of this time was begun before. Raises SelfTestRefused.

    Without a time it is one by hand, now.
    """
    now = context.database.now()
    async with context.database.read() as connection:
        if due_at is not None and await self_tests.was_begun(connection, due_at):
            return None
        seeds = await trial_addresses.seed_counts(connection)
    expected = {key: number for key, number in seeds.items() if key in context.town.account}
    if not expected:
        raise SelfTestRefused(NO_SEEDS)
    spec = _spec(context.town, expected, now)
    await asyncio.to_thread(refuse_problems, context, spec)
    async with context.database.write(wake="triggers") as connection:
        found = await identity.read(connection)
        if found is not None and found.held_since is not None:
            raise SelfTestRefused(HELD)
        if await maintenance.read(connection) is not None:
            raise SelfTestRefused(IN_MAINTENANCE)
        if await self_tests.going_on(connection):
            raise SelfTestRefused(RUNNING)
        notice_id = await trial_changes.create(connection, spec, staff=by, at=now, closed=True)
        number = await self_tests.begin(
            connection,
            due_at=now if due_at is None else due_at,
            begun_by=by,
            notice_id=notice_id,
            expected=expected,
            at=now,
        )
        if number is None:
            # Another process was faster, and this notice must not stay.
            raise SelfTestRefused(RUNNING)
        await audit.record(
            connection, at=now, actor=by, action="selftest.begun", subject=f"self_test {number}"
        )
    log.info("self_test_begun", self_test=number, notice=notice_id)
    return number


async def end_finished(context: TownContext) -> int:
    """Write down the proof of each that has ended or takes too long; their number."""
    async with context.database.read() as connection:
        running = await self_tests.going_on(connection)
    return sum([await _end(context, item) for item in running])


async def _end(context: TownContext, item: SelfTest) -> bool:
    now = context.database.now()
    too_long = now > item.begun_at + LONGEST
    async with context.database.write() as connection:
        found = await notices.get(connection, item.notice_id)
        rows = await tally(connection, item.notice_id)
        if not too_long and not _is_over(found, rows):
            return False
        # Nothing of it may go out any more, also when a person would release it.
        await notice_changes.cancel(connection, item.notice_id)
        if too_long:
            await stopping.stop(connection, [item.notice_id], reason=stopping.STOPPED, now=now)
            rows = await tally(connection, item.notice_id)
        reasons = await refusal_reasons(connection, item.notice_id)
        proofs = [_proof(one, rows, reasons, item.begun_at) for one in item.accounts]
        if not await self_tests.end(connection, item.id, proofs, at=now):
            return False
        passed = all(proof.passed for proof in proofs)
        await audit.record(
            connection,
            at=now,
            actor=BY_ITSELF,
            action="selftest.passed" if passed else "selftest.failed",
            subject=f"self_test {item.id}",
        )
    log.info("self_test_ended", self_test=item.id, passed=passed)
    return True


def _is_over(found: Notice | None, rows: Sequence[Tally]) -> bool:
    if found is None or found.trigger_state in (TriggerState.HELD, TriggerState.CANCELLED):
        return True
    if found.trigger_state != TriggerState.FIRED:
        return False
    return not any(row.open or row.state == DeliveryState.PLANNING for row in rows)


def _proof(
    expected: AccountProof,
    rows: Sequence[Tally],
    reasons: Sequence[tuple[str, str, int]],
    begun_at: int,
) -> AccountProof:
    row = next((item for item in rows if item.account == expected.account), None)
    if row is None:
        # Held, or the account has left the profile.
        return AccountProof(expected.account, expected.expected)
    why = next((reason for channel, reason, _ in reasons if channel == row.channel), row.reason)
    took = None if row.last_accepted_at is None else max(0, row.last_accepted_at - begun_at)
    return AccountProof(
        row.account,
        expected.expected,
        row.planned,
        row.accepted,
        row.refused,
        row.unknown,
        why,
        took,
    )


def _spec(town: Town, expected: Mapping[str, int], now: int) -> NoticeSpec:
    """Its words say that it is nothing, for whoever finds it in the morning."""
    category = next(item for item in town.categories if not item.closed)
    plain = NoticeSpec(
        category=category.key,
        urgency=Urgency.ROUTINE,
        texts={
            "ja": (
                "自己点検(何もしなくて結構です)",
                f"{town.name}の配信が届くことを、毎日確かめています。{words(now)} の自己点検です。"
                "このお知らせは職員にだけ届いています。",
            )
        },
        channels=(),
        mode=Mode.TEST,
    )
    channels = tuple(dict.fromkeys(town.account[key].channel for key in expected))
    return trial_spec(plain, Trial(TrialKind.SEEDS, None, None), channels=channels, until=now + LONGEST)
