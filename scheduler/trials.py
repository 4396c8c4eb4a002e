"""自分に試し送り: the words as they are, on every chosen channel, to the addresses of one member of staff alone.

A trial is a notice of its own with mode test, by the same road as any other, so it proves the real thing. What
is doubtful about the words asks for no yes here: to see it is what a trial is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import MINUTE
from content.database import identity
from content.ledger.tallies import Tally, progress_state, refusal_reasons, tally
from content.notices import notices, trial_changes
from content.notices.notices import Notice, NoticeSpec
from content.notices.publicity import may_have_page
from content.notices.states import TrialKind
from content.notices.trial_changes import trial_spec
from content.notices.trials import Trial
from content.register import trial_addresses
from content.register.trial_addresses import TrialAddress
from content.staff import audit, members
from content.staff.members import NotAllowed, Staff
from content.staff.rights import Permission
from scheduler.checks import NoticeRefused, Problem, refuse_problems
from scheduler.town_context import TownContext, account_for

# Nothing of a trial leaves later: nobody waits for it any more.
LASTS = 15 * MINUTE
# Of one member in ten minutes, every language counted: each is a message of the month's quota.
MOST, WITHIN = 20, 10 * MINUTE
SHOWN = 10
MAY_TRY = (Permission.WRITE, Permission.APPROVE, Permission.SEND_URGENT)

NO_ADDRESS = (
    "選んだ配信手段に、あなたの試し送り先がありません。「自分の設定」の「試し送り先」で登録してください。"
)
TOO_MANY = "試し送りは、10分に20通までです。少し待ってから行ってください。まだ送っていません。"
HELD = "このデータベースは、控えから戻したか写しの疑いがあるため、何も送りません。管理者に確かめてもらってください。"


@dataclass(frozen=True, slots=True)
class TrialSent:
    """One trial and what became of it. `is_current`: the words have not changed since."""

    notice: Notice
    state: str
    tallies: tuple[Tally, ...]
    reasons: tuple[tuple[str, str, int], ...]
    is_current: bool

    @property
    def language(self) -> str:
        return self.notice.spec.trial.language if self.notice.spec.trial else "ja"


async def send(
    context: TownContext, notice_id: int, *, member: Staff, languages: Sequence[str], actor: str
) -> list[int]:
    """One notice for each language, in which every address of this member gets it.

    `actor` is who asks: the member, or somebody at the command line. Raises NoticeRefused with the reason,
    NotAllowed, and LookupError when there is no such notice.
    """
    async with context.database.read() as connection:
        found = await notices.get(connection, notice_id)
        own = await trial_addresses.of_staff(connection, context.keys, member.id)
    if found is None:
        raise LookupError(f"no notice {notice_id}")
    if found.spec.trial is not None:
        raise _refused("試し送りを、さらに試すことはできません。元のお知らせから送ってください。")
    unknown = [tag for tag in languages if tag not in found.spec.texts]
    if unknown or not languages:
        raise _refused("この言語の文はありません。言語を選び直してください。")
    channels = tried_channels(context, found.spec, own)
    if not channels:
        raise _refused(NO_ADDRESS)
    now = context.database.now()
    specs = [
        trial_spec(
            found.spec,
            Trial(TrialKind.ONESELF, member.id, found.version_id, language),
            channels=channels,
            until=now + LASTS,
        )
        for language in dict.fromkeys(languages)
    ]
    # The first rendering for LINE imports its SDK (over a second), so not on the event loop.
    await asyncio.to_thread(refuse_problems, context, specs[0])
    async with context.database.write(wake="triggers") as connection:
        await _require(connection, actor, member, found.spec.category)
        await _refuse_too_many(connection, member.id, len(specs), now)
        corrected = await notices.get(connection, found.corrects) if found.corrects else None
        closed = not all(may_have_page(context.town, item) for item in (found, corrected) if item)
        made = [
            await trial_changes.create(connection, spec, staff=member.login, at=now, closed=closed)
            for spec in specs
        ]
        await audit.record(
            connection,
            at=now,
            actor=actor,
            action="notice.tried",
            subject=f"notice {notice_id}",
            trials=made,
            languages=list(languages),
        )
    return made


def tried_channels(context: TownContext, spec: NoticeSpec, own: Sequence[TrialAddress]) -> tuple[str, ...]:
    """Those of the notice's channels on which this member has an address."""
    known = {item.account for item in own}
    probe = trial_spec(spec, Trial(TrialKind.ONESELF, 0, None), channels=spec.channels, until=0)
    accounts = {channel: account_for(context.town, probe, channel) for channel in spec.channels}
    return tuple(channel for channel, account in accounts.items() if account and account.key in known)


async def sent_of(context: TownContext, found: Notice) -> list[TrialSent]:
    """The newest first."""
    async with context.database.read() as connection:
        rows = []
        for item in await trial_changes.trials_of(connection, found.id, SHOWN):
            tallies = await tally(connection, item.id)
            about = item.spec.trial
            rows.append(
                TrialSent(
                    item,
                    progress_state(item, tallies),
                    tuple(tallies),
                    tuple(await refusal_reasons(connection, item.id)),
                    about is not None and about.version_id == found.version_id,
                )
            )
    return rows


async def _require(connection: AsyncConnection, actor: str, member: Staff, category: str) -> None:
    """Whoever writes or decides in the category; and the member must still be one. Raises NotAllowed."""
    if await members.get(connection, member.id) is None:
        raise NotAllowed("trial")
    for permission in MAY_TRY[:-1]:
        try:
            await members.require(connection, actor, permission, category)
            return
        except NotAllowed:
            continue
    await members.require(connection, actor, MAY_TRY[-1], category)


async def _refuse_too_many(connection: AsyncConnection, staff_id: int, more: int, now: int) -> None:
    found = await identity.read(connection)
    if found is not None and found.held_since is not None:
        raise _refused(HELD)
    if await trial_changes.number_since(connection, staff_id, now - WITHIN) + more > MOST:
        raise _refused(TOO_MANY)


def _refused(message: str) -> NoticeRefused:
    return NoticeRefused([Problem("notice", message)])
