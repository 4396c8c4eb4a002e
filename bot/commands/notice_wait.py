"""Waiting for a notice to end, also through times in which the database does not answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from bot.commands.common import FAILED, NOBODY, OK, PARTLY, TIMED_OUT, progress, talk
from bot.service import Service
from channels.reasons import find_reason
from content.clock import words
from content.database import identity, is_infrastructure
from content.ledger.suspensions import ACCOUNT_GONE
from scheduler import notice_service
from scheduler.impact import measure_impact
from scheduler.notice_status import Status
from scheduler.words import CHANNEL_NAMES

Result = TypeVar("Result")

WAITING = {
    ACCOUNT_GONE: "アカウントが町の設定にありません。戻して serve を再起動すると続きから送ります。"
    "戻さないときは `kairanban notice give-up` で残りをやめてください。",
}
ENDED = {
    "finished": OK,
    "partly": PARTLY,
    # Everybody who is awake has it; the rest goes out in the morning by itself.
    "resting": OK,
    "stopped": PARTLY,
    "nobody": NOBODY,
    "held": FAILED,
    "cancelled": FAILED,
}
ASK_EVERY = 0.2
ASK_AGAIN_AFTER = 1.0
# Seconds that the first look may take, also where nobody waits: on a busy machine an answer is late, not lost.
FIRST_LOOK = 10.0
AWAY = "データベースにつながりません。配信は serve が続けます。つながるまで待ちます。"
HELD = (
    "このデータベースは、控えから戻したか写しの疑いがあるため、何も送りません。お知らせは登録されています。"
    "`kairanban restore --confirm` で、たまっているものを確かめてから再開してください。"
)
UNSEEN = "データベースにつながらないまま待ち時間を過ぎました。`kairanban notice show {}` で確かめてください。"


async def insist(work: Callable[[], Awaitable[Result]], seconds: float) -> Result:
    """Try again for so long while only the machine is at fault; raises its last error then."""
    deadline = time.monotonic() + seconds
    told = False
    while True:
        try:
            # A database that hangs is one that does not answer.
            async with asyncio.timeout(max(ASK_AGAIN_AFTER, deadline - time.monotonic())):
                return await work()
        except Exception as error:
            if not is_infrastructure(error) or time.monotonic() + ASK_AGAIN_AFTER > deadline:
                raise
        if not told:
            talk.print(AWAY, style="yellow", markup=False, soft_wrap=True)
            told = True
        await asyncio.sleep(ASK_AGAIN_AFTER)


async def wait_for_end(service: Service, notice_id: int, timeout: float) -> tuple[int, Status | None]:
    """The exit code, and what was seen last: None when the database never answered."""
    deadline = time.monotonic() + timeout
    found: Status | None = None
    try:
        first_wait = max(timeout, FIRST_LOOK)
        found = await insist(lambda: notice_service.status(service.context, notice_id), first_wait)
        if await insist(lambda: _is_held(service), first_wait):
            talk.print(HELD, style="red", markup=False, soft_wrap=True)
            return ENDED.get(found.state, FAILED), found
        if not timeout:
            return ENDED.get(found.state, TIMED_OUT), found
        spec = found.notice.spec
        impacts = await insist(lambda: measure_impact(service.context, spec), deadline - time.monotonic())
        done = 0
        with progress("配信", sum(item.count for item in impacts)) as advance:
            while found.state not in ENDED and time.monotonic() < deadline:
                await asyncio.sleep(ASK_EVERY)
                found = await insist(
                    lambda: notice_service.status(service.context, notice_id), deadline - time.monotonic()
                )
                settled = sum(row.accepted + row.refused + row.unknown for row in found.tallies)
                advance(settled - done)
                done = settled
    except Exception as error:
        if not is_infrastructure(error):
            raise
        talk.print(UNSEEN.format(notice_id), style="yellow", markup=False, soft_wrap=True)
        return TIMED_OUT, found
    for row in found.tallies:
        if row.resting and row.rest_until is not None:
            name = CHANNEL_NAMES.get(row.channel, row.channel)
            talk.print(
                f"{name} {row.resting}件は、おやすみ時間か朝のまとめのため {words(row.rest_until)} から送ります。"
            )
    if found.state in ENDED:
        return ENDED[found.state], found
    for line in _why_waiting(found):
        talk.print(line, style="yellow", markup=False, soft_wrap=True)
    return TIMED_OUT, found


async def _is_held(service: Service) -> bool:
    """Nothing goes out of this database until a person has looked, so nobody may wait for it."""
    async with service.database.read() as connection:
        found = await identity.read(connection)
    return found is not None and found.held_since is not None


def _why_waiting(found: Status) -> Iterator[str]:
    """What is still open and what it waits for; the notices stay and go on by themselves."""
    if not found.tallies:
        yield "待ち時間を過ぎました。まだ配信が始まっていません。`kairanban serve` が動いているか確かめてください。"
    for row in found.tallies:
        if row.open or row.suspended_at is not None:
            hint = WAITING.get(row.reason) or _waits_for(row.reason)
            name = CHANNEL_NAMES.get(row.channel, row.channel)
            yield f"待ち時間を過ぎました。{name} {row.open}件が未送信です: {hint}"


def _waits_for(reason: str) -> str:
    return f"{find_reason(reason).what}。直りしだい、続きから自動で送ります。" if reason else "送信中です"
