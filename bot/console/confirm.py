"""The last look before sending: who would get it, how it will look, and a word typed by hand."""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import dataclass, replace

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.form import placeholders
from bot.console.series import outline
from bot.console.words import (
    MORE_QUOTA,
    account_words,
    approval_word,
    category_words,
    channel_words,
    language_words,
    mode_words,
    shortage_words,
    urgency_words,
)
from bot.forms import read_fields
from bot.pages import redirect
from content.notices.notices import Notice
from content.notices.states import NoticeState, TargetKind
from scheduler import checks, notice_service
from scheduler.checks import NoticeRefused, Problem
from scheduler.impact import Impact, measure_impact
from scheduler.permits import permission_to_send
from scheduler.quota import foresee
from scheduler.shortages import Shortage

WRONG_WORD = "「{word}」と入力してください。まだ送信していません。"
LEFT_OVER = "「○○」が残ったままです。内容を直すか、このまま送ることを確かめる欄に印を付けてください。まだ送信していません。"
CHANGED = "この画面を開いたあとに、内容が変わりました。今の内容を確かめてから、もう一度入力してください。まだ送信していません。"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What approving would do now, or why it cannot be done."""

    impacts: tuple[Impact, ...]
    problems: tuple[Problem, ...]
    shortages: tuple[Shortage, ...] = ()

    @property
    def sendable(self) -> int:
        """How many would be sent to: an account that cannot reach everyone reaches nobody."""
        short = {item.account for item in self.shortages}
        return sum(item.count for item in self.impacts if item.account not in short)

    @property
    def total(self) -> int:
        return sum(item.count for item in self.impacts)

    @property
    def broadcasts(self) -> bool:
        return any(item.broadcast for item in self.impacts)


async def show_confirm(staff_request: StaffRequest) -> web.Response:
    found = await notice_service.find(staff_request.service.context, staff_request.notice_id)
    if found.state != NoticeState.DRAFT:
        return redirect(f"/console/notices/{found.id}")
    return _confirm_page(staff_request, found, await _look_ahead(staff_request, found))


async def approve(staff_request: StaffRequest) -> web.Response:
    """Sends nothing unless the word is right, the content is what was shown, and somebody would get it."""
    found = await notice_service.find(staff_request.service.context, staff_request.notice_id)
    if found.state != NoticeState.DRAFT:
        return redirect(f"/console/notices/{found.id}")
    fields = await read_fields(staff_request.request)
    forecast = await _look_ahead(staff_request, found)
    error = _mistake(found, fields.get("word", ""), fields.get("version", ""))
    if not error and placeholders(found.spec.texts) and not fields.get("leave_placeholders"):
        # With shaking hands the typed word alone would send a template to the whole town.
        error = LEFT_OVER
    if error or forecast.problems or _reaches_nobody(found, forecast):
        return _confirm_page(staff_request, found, forecast, error)
    try:
        await notice_service.approve(
            staff_request.service.context,
            found.id,
            staff=staff_request.staff.login,
            version_id=found.version_id,
        )
    except NoticeRefused as refused:
        return _confirm_page(staff_request, found, Forecast((), tuple(refused.problems)))
    return redirect(f"/console/notices/{found.id}")


def normalise_word(text: str) -> str:
    """Full and half width are the same, and spaces do not count."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _mistake(found: Notice, word: str, version: str) -> str:
    if version != str(found.version_id):
        return CHANGED
    wanted = approval_word(found.spec)
    return "" if normalise_word(word) == wanted else WRONG_WORD.format(word=wanted)


def _reaches_nobody(found: Notice, forecast: Forecast) -> bool:
    # At a scheduled time there may be registrations, so only sending at once is refused.
    return forecast.total == 0 and found.spec.at is None and found.spec.rule is None


async def _look_ahead(staff_request: StaffRequest, found: Notice) -> Forecast:
    context = staff_request.service.context
    # The first rendering for LINE imports its SDK (over a second), so not on the event loop.
    problems = await asyncio.to_thread(checks.find_problems, context, found.spec)
    if problems:
        return Forecast((), tuple(problems))
    try:
        impacts = await measure_impact(context, found.spec, found.id)
    except NoticeRefused as refused:
        return Forecast((), tuple(refused.problems))
    shortages = await foresee(context, found.spec, {item.account: item.count for item in impacts})
    forecast = Forecast(tuple(impacts), (), tuple(shortages))
    # At a scheduled time another month may have begun, so only sending at once is refused.
    if shortages and not forecast.sendable and found.spec.at is None:
        return replace(forecast, problems=tuple(_as_problem(staff_request, item) for item in shortages))
    return forecast


def _as_problem(staff_request: StaffRequest, item: Shortage) -> Problem:
    name = account_words(staff_request.service.town, item.account)
    return Problem("channels", f"{name}では送れません。{shortage_words(item)}{MORE_QUOTA}")


def _confirm_page(
    staff_request: StaffRequest, found: Notice, forecast: Forecast, error: str = ""
) -> web.Response:
    town, spec = staff_request.service.town, found.spec
    permission = permission_to_send(spec)
    return staff_request.page(
        "console/confirm.html",
        status=422 if error or forecast.problems else 200,
        notice=found,
        spec=spec,
        forecast=forecast,
        error=error,
        outline=outline(found),
        nobody=_reaches_nobody(found, forecast),
        may_send=staff_request.staff.may(permission, spec.category),
        may_everyone=spec.target.kind != TargetKind.EVERYONE
        or staff_request.staff.may("everyone", spec.category),
        shortages=[(account_words(town, item.account), shortage_words(item)) for item in forecast.shortages],
        more_quota=MORE_QUOTA,
        word=approval_word(spec),
        target=spec.target.describe(town, spec.category),
        category=category_words(town, spec.category),
        mode=mode_words(spec.mode),
        urgency=urgency_words(spec.urgency),
        placeholders=[
            f"{'件名' if part == 'title' else '本文'}({language_words(tag)})"
            for tag, part in placeholders(spec.texts)
        ],
        language_name=language_words,
        channel_name=channel_words,
    )
