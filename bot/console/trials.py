"""自分に試し送り on the confirm page: the button, and what became of the trials so far."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.words import channel_words, language_words, reason_words
from bot.forms import read_fields
from bot.pages import redirect
from content.accounts import POSTING
from content.notices.notices import Notice
from content.register import trial_addresses
from scheduler import notice_service, trials
from scheduler.checks import NoticeRefused
from scheduler.trials import TrialSent

ALL_LANGUAGES = "all"


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One trial in words. `outcomes` are (channel, word, why) in the order of the channels."""

    notice_id: int
    at: int
    by: str
    language: str
    is_current: bool
    is_open: bool
    outcomes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class TrialPart:
    """`channels` are those on which this member has an address, `lacking` those on which not."""

    channels: tuple[str, ...]
    lacking: tuple[str, ...]
    rows: tuple[TrialRow, ...]
    languages: tuple[tuple[str, str], ...]

    @property
    def is_open(self) -> bool:
        return any(row.is_open for row in self.rows)


async def trial_part(staff_request: StaffRequest, found: Notice) -> TrialPart:
    """What the confirm page shows of trials."""
    service = staff_request.service
    async with service.database.read() as connection:
        own = await trial_addresses.of_staff(connection, service.keys, staff_request.staff.id)
    channels = trials.tried_channels(service.context, found.spec, own)
    return TrialPart(
        channels=tuple(map(channel_words, channels)),
        lacking=tuple(
            channel_words(item)
            for item in found.spec.channels
            if item not in channels and item not in POSTING
        ),
        rows=tuple(map(_row, await trials.sent_of(service.context, found))),
        languages=tuple((tag, language_words(tag)) for tag in found.spec.texts),
    )


async def send_trial(staff_request: StaffRequest) -> web.Response:
    """Nothing about the notice itself changes. Back to the page on which the button was."""
    service, notice_id = staff_request.service, staff_request.notice_id
    found = await notice_service.find(service.context, notice_id)
    chosen = (await read_fields(staff_request.request)).get("language", "ja")
    languages = list(found.spec.texts) if chosen == ALL_LANGUAGES else [chosen]
    try:
        await trials.send(
            service.context,
            notice_id,
            member=staff_request.staff,
            languages=languages,
            actor=staff_request.staff.login,
        )
    except NoticeRefused as refused:
        return staff_request.page(
            "console/trial_refused.html",
            status=422,
            notice=found,
            message="".join(item.message for item in refused.problems),
        )
    return redirect(f"/console/notices/{notice_id}/confirm#trials")


def _row(item: TrialSent) -> TrialRow:
    by_channel = {row.channel: row for row in item.tallies}
    outcomes = []
    for channel in item.notice.spec.channels:
        row = by_channel.get(channel)
        why = next((reason_words(code)[0] for name, code, _ in item.reasons if name == channel), "")
        if item.state in ("held", "cancelled"):
            word = "送れませんでした"
        elif row is None or row.open or row.state == "planning":
            word = "送っています"
        elif not row.planned:
            word = "試し送り先がありません"
        elif row.accepted == row.planned:
            word = "受付"
        elif row.refused:
            word = "不達"
        else:
            word = "不明"
        outcomes.append(
            (channel_words(channel), word, why or (item.notice.held_reason if row is None else ""))
        )
    return TrialRow(
        item.notice.id,
        item.notice.created_at,
        item.notice.created_by,
        language_words(item.language),
        item.is_current,
        item.state in ("scheduled", "planning", "sending"),
        tuple(outcomes),
    )
