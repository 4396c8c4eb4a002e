"""After sending: stop what has not left, and speak again to exactly those whom a notice reached.

A correction or withdrawal is a notice of its own (`NoticeSpec.kind`, `corrects`) on the accounts of the notice at
the beginning of its chain. Its approval stops whatever of the chain is still under way, in one transaction.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from channels.rendering import wording
from content.ledger import reached, stopping
from content.ledger.tallies import progress_state, tally
from content.notices import chains, notice_changes, notices
from content.notices.attachments import Attachments
from content.notices.notices import Notice, NoticeSpec
from content.notices.states import NoticeKind, NoticeState, TriggerState
from content.staff import audit
from scheduler import permits
from scheduler.checks import NoticeRefused, Problem
from scheduler.town_context import TownContext

NOT_SENT = {
    "draft": "まだ送っていません。下書きのまま内容を直してください。",
    "cancelled": "送らずに取り消したお知らせです。だれにも届いていないので、知らせる相手がいません。",
    "held": "保留になっていて、まだ送っていません。配信の状況の画面で取り消してください。",
    "scheduled": "まだ送っていません。配信の状況の画面で、予約を取り消すか、「下書きに戻して直す」で内容を直してください。",
    "recurring": "くり返しの元のお知らせは、それ自体では送られません。これまでの配信の一覧から、送った1回を選んでください。",
    "ended": "くり返しの元のお知らせは、それ自体では送られません。これまでの配信の一覧から、送った1回を選んでください。",
    "nobody": "だれにも送っていないので、知らせる相手がいません。",
}
FORGOTTEN = (
    "宛先の記録は、個人情報を残さないため{days}日で消しています。このお知らせを受け取った登録が分からないので、"
    "同じ宛先の新しいお知らせとして、訂正や取り消しを書いて送ってください。"
)
ACCOUNTS_GONE = (
    "このお知らせを送ったアカウントが、町の設定からなくなっています。管理者に設定を確かめてもらうか、"
    "新しいお知らせを別の配信手段で送ってください。"
)
ONLY_A_TRIAL = "試し送りは住民に届いていないので、訂正も取り消しも要りません。"
WITHDRAWN_ALREADY = (
    "このお知らせは、すでに取り消しを知らせています。続けて知らせることがあるときは、訂正を送ってください。"
)


async def stop(context: TownContext, notice_id: int, *, staff: str) -> bool:
    """配信を止める: what has not left does not leave. False when there was nothing more to stop.

    One that is due and has not begun yet is cancelled. Raises NotAllowed, and LookupError when there is no such notice.
    """
    now = context.database.now()
    async with context.database.write(wake="triggers") as connection:
        found = await notices.get(connection, notice_id)
        if found is None:
            raise LookupError(f"no notice {notice_id}")
        await permits.require(connection, staff, notice_id, permits.permission_to_send(found.spec))
        stopped = 0
        is_due = found.state == NoticeState.APPROVED and (found.due_at or 0) <= now and not found.spec.rule
        if found.trigger_state == TriggerState.WAITING and is_due:
            stopped += await notice_changes.cancel(connection, notice_id)
        stopped += await stopping.stop(connection, [notice_id], reason=stopping.STOPPED, now=now)
        if stopped:
            await audit.record(
                connection, at=now, actor=staff, action="notice.stopped", subject=f"notice {notice_id}"
            )
    return bool(stopped)


async def follow_up(context: TownContext, notice_id: int, kind: NoticeKind) -> NoticeSpec:
    """A correction or withdrawal to begin with: the old words, or the standard words of a withdrawal.

    Raises NoticeRefused with the reason and the way out, LookupError when there is no such notice.
    """
    async with context.database.read() as connection:
        corrected = await notices.get(connection, notice_id)
        if corrected is None:
            raise LookupError(f"no notice {notice_id}")
        await refuse_impossible(context, connection, corrected, kind)
        root = await notices.get(connection, await chains.root_of(connection, notice_id))
        assert root is not None
        channels = await _channels(context, connection, root)
    last = (root if corrected.kind == NoticeKind.WITHDRAWAL else corrected).spec
    texts, attached = last.texts, last.attached
    if kind == NoticeKind.WITHDRAWAL:
        # What is taken back is not shown once more.
        attached = Attachments()
        texts = {language: _withdrawn(language, title) for language, (title, _) in texts.items()}
    return replace(
        root.spec,
        texts=texts,
        channels=channels,
        at=None,
        expires=None,
        rule=None,
        series=None,
        kind=kind,
        corrects=notice_id,
        attached=attached,
    )


def in_other_languages(context: TownContext, spec: NoticeSpec, title: str, body: str) -> NoticeSpec:
    """The Japanese words of a correction; readers of other languages are told so in theirs, above the Japanese."""
    texts = {"ja": (title, body)}
    for language in spec.texts:
        if language != "ja":
            old, _ = spec.texts[language]
            texts[language] = (old, f"{wording(language).corrected_in_japanese}\n\n{title}\n{body}")
    return replace(spec, texts=texts)


async def refuse_impossible(
    context: TownContext, connection: AsyncConnection, corrected: Notice, kind: NoticeKind
) -> None:
    """Raises NoticeRefused when nobody can be told of a correction or withdrawal of this notice."""
    if corrected.spec.trial is not None:
        raise _refused(ONLY_A_TRIAL)
    state = progress_state(corrected, await tally(connection, corrected.id))
    if state in NOT_SENT:
        raise _refused(NOT_SENT[state])
    root = await chains.root_of(connection, corrected.id)
    if await reached.is_forgotten(connection, root):
        days = context.keep_recipients // (24 * 60 * 60 * 1000)
        raise _refused(FORGOTTEN.format(days=days))
    if kind == NoticeKind.WITHDRAWAL and await is_withdrawn(connection, root):
        raise _refused(WITHDRAWN_ALREADY)
    found = await notices.get(connection, root)
    if found is None or not await _channels(context, connection, found):
        raise _refused(ACCOUNTS_GONE)


async def stop_chain(
    connection: AsyncConnection, context: TownContext, approved: Notice, *, staff: str, now: int
) -> None:
    """In the transaction that approves a correction or withdrawal: nothing more of its chain leaves.

    What of it was approved a moment ago and has not begun yet never does: this one is the last word.
    """
    root = await chains.root_of(connection, approved.id)
    others = [number for number in await chains.members(connection, root) if number != approved.id]
    for number in others:
        await _overtake(connection, number, by=approved.id, staff=staff, now=now)
    if await stopping.stop(connection, others, reason=stopping.CORRECTED, now=now):
        await audit.record(
            connection,
            at=now,
            actor=staff,
            action="notice.stopped",
            subject=f"notice {approved.corrects}",
            by=f"notice {approved.id}",
        )


async def _overtake(connection: AsyncConnection, notice_id: int, *, by: int, staff: str, now: int) -> None:
    found = await notices.get(connection, notice_id)
    is_draft = found is None or found.state != NoticeState.APPROVED
    if not is_draft and await notice_changes.cancel(connection, notice_id):
        await audit.record(
            connection,
            at=now,
            actor=staff,
            action="notice.cancelled",
            subject=f"notice {notice_id}",
            by=f"notice {by}",
        )


async def is_withdrawn(connection: AsyncConnection, root: int) -> bool:
    """Whether the last word of the chain is a withdrawal that was approved."""
    found = [await notices.get(connection, number) for number in await chains.members(connection, root)]
    sent = [item for item in found if item and item.state == NoticeState.APPROVED]
    return bool(sent) and sent[-1].kind == NoticeKind.WITHDRAWAL


async def _channels(context: TownContext, connection: AsyncConnection, root: Notice) -> tuple[str, ...]:
    """The ways by which it went out and that still carry its mode."""
    found = [
        channel
        for _, account, channel in await reached.deliveries_of(connection, root.id)
        if any(item.key == account for item in context.town.accounts_for(channel, root.spec.mode))
    ]
    return tuple(dict.fromkeys(found))


def _withdrawn(language: str, title: str) -> tuple[str, str]:
    return title, wording(language).withdrawn.format(title=title)


def _refused(message: str) -> NoticeRefused:
    return NoticeRefused([Problem("notice", message)])
