"""Send again to those who were refused for a while: the refused alone, for reasons that can pass."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from channels.reasons import Reason
from content.clock import DAY
from content.ledger import reached, retrying
from content.ledger.stopping import BY_PERSON
from content.ledger.tallies import tally
from content.notices import chains, notices
from content.notices.notices import Notice
from content.notices.states import NoticeState
from content.staff import audit
from scheduler import permits, quota
from scheduler.checks import NoticeRefused, Problem
from scheduler.town_context import TownContext

PASSING = tuple(reason for reason in Reason if reason.can_pass)
# What was said longer ago is said anew, by somebody who has read it again.
LONGEST = DAY


async def count_retriable(connection: AsyncConnection, notice_id: int) -> dict[str, int]:
    """How many could be sent to again, by account."""
    found = {}
    for delivery_id, account, _ in await reached.deliveries_of(connection, notice_id):
        found[account] = await connection.run_sync(partial(_count, delivery_id=delivery_id))
    return {account: number for account, number in found.items() if number}


async def retry(context: TownContext, notice_id: int, *, staff: str) -> int:
    """How many are sent to again. Raises NoticeRefused with the reason, NotAllowed, LookupError."""
    now = context.database.now()
    async with context.database.read() as connection:
        found = await notices.get(connection, notice_id)
        if found is None:
            raise LookupError(f"no notice {notice_id}")
        why_not = await _why_not(connection, found, now)
        counts = {} if why_not else await count_retriable(connection, notice_id)
        ids = {account: number for number, account, _ in await reached.deliveries_of(connection, notice_id)}
    if why_not:
        raise _refused(why_not)
    if not counts:
        raise _refused(
            "送り直せる宛先はありません。直らない理由で断られた分と、届いたか分からない分は送り直しません。"
        )
    for account, number in counts.items():
        left = await quota.ask(context, account)
        if left is not None and left.messages < number:
            raise _refused(
                f"今月あと{left.messages:,}通のところ、送り直しには{number:,}通が必要です。"
                "料金プランか追加メッセージの上限を上げてから、もう一度押してください。"
            )
    moved = 0
    for account in counts:
        more = True
        while more:
            async with context.database.write(wake="batches") as connection:
                await permits.require(connection, staff, notice_id, permits.permission_to_send(found.spec))
                step = partial(
                    retrying.move_some, delivery_id=ids[account], reasons=PASSING, now=context.database.now()
                )
                number = await connection.run_sync(step)
                if number:
                    await audit.record(
                        connection,
                        at=now,
                        actor=staff,
                        action="notice.retried",
                        subject=f"notice {notice_id}",
                        account=account,
                        recipients=number,
                    )
            moved, more = moved + number, bool(number)
    return moved


async def _why_not(connection: AsyncConnection, found: Notice, now: int) -> str:
    if found.spec.trial is not None:
        return "試し送りは送り直しません。もう一度試し送りをしてください。"
    if found.fired_at is None:
        return "まだ送っていません。"
    if found.spec.expires is not None and now >= found.spec.expires:
        return "有効期限を過ぎたため、送り直しません。内容が今も正しければ、新しいお知らせを出してください。"
    if now > found.fired_at + LONGEST:
        return (
            "配信から1日を過ぎたため、送り直しません。内容が今も正しければ、新しいお知らせを出してください。"
        )
    if any(row.reason in BY_PERSON for row in await tally(connection, found.id)):
        return "職員が止めた配信は、送り直しません。"
    root = await chains.root_of(connection, found.id)
    chain = [await notices.get(connection, number) for number in await chains.members(connection, root)]
    if any(item and item.id > found.id and item.state == NoticeState.APPROVED for item in chain):
        return "訂正か取り消しを出したお知らせは、元の文面では送り直しません。"
    return ""


def _count(connection: Connection, delivery_id: int) -> int:
    return retrying.count(connection, delivery_id, PASSING)


def _refused(message: str) -> NoticeRefused:
    return NoticeRefused([Problem("notice", message)])
