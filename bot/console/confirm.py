"""The last look before sending: who would get it, what is doubtful, how it looks, and a word typed by hand."""

from __future__ import annotations

import unicodedata

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.consent import consent_for
from bot.console.forecast import Forecast, look_ahead
from bot.console.series import outline
from bot.console.trials import trial_part
from bot.console.words import (
    MORE_QUOTA,
    account_words,
    approval_word,
    category_words,
    channel_words,
    language_words,
    mode_words,
    urgency_words,
)
from bot.forms import Fields, read_fields
from bot.pages import redirect
from content.accounts import POSTING
from content.clock import SECOND
from content.notices.notices import Notice, NoticeSpec
from content.notices.states import NoticeState, TargetKind
from scheduler import notice_service
from scheduler.approval import ApprovalRefused, undo_time
from scheduler.checks import NoticeRefused
from scheduler.examination import NoticeQuestioned

WRONG_WORD = "「{word}」と入力してください。まだ送信していません。"
UNANSWERED = (
    "確かめていない指摘があります。内容を直すか、「確認しました」に印を付けてください。まだ送信していません。"
)
CHANGED = "この画面を開いたあとに、内容が変わりました。今の内容を確かめてから、もう一度入力してください。まだ送信していません。"


async def show_confirm(staff_request: StaffRequest) -> web.Response:
    found = await notice_service.find(staff_request.service.context, staff_request.notice_id)
    if found.state != NoticeState.DRAFT:
        return redirect(f"/console/notices/{found.id}")
    return await _confirm_page(staff_request, found, await look_ahead(staff_request, found))


async def approve(staff_request: StaffRequest) -> web.Response:
    """Sends nothing unless the word is right, every question has its yes, the content is what was shown, and
    somebody would get it."""
    found = await notice_service.find(staff_request.service.context, staff_request.notice_id)
    if found.state != NoticeState.DRAFT:
        return redirect(f"/console/notices/{found.id}")
    fields = await read_fields(staff_request.request)
    forecast = await look_ahead(staff_request, found)
    accepted = _accepted(found, fields)
    error = _mistake(found, fields.get("word", ""), fields.get("version", ""))
    if not error and forecast.unanswered(accepted):
        # With shaking hands the typed word alone would send a template to the whole town.
        error = UNANSWERED
    if error or forecast.problems or forecast.reaches_nobody:
        return await _confirm_page(staff_request, found, forecast, error, accepted)
    try:
        await notice_service.approve(
            staff_request.service.context,
            found.id,
            staff=staff_request.staff.login,
            version_id=found.version_id,
            accepted=accepted,
            examined=forecast.examined,
            reason=fields.get("reason", ""),
            on_screen=True,
        )
    except NoticeQuestioned:
        return await _confirm_page(staff_request, found, forecast, UNANSWERED, accepted)
    except NoticeRefused as refused:
        unusable = Forecast(forecast.examined, found.spec, tuple(refused.problems))
        return await _confirm_page(staff_request, found, unusable)
    except ApprovalRefused as refused:
        return await _confirm_page(staff_request, found, forecast, str(refused), accepted)
    return redirect(f"/console/notices/{found.id}")


def normalise_word(text: str) -> str:
    """Full and half width are the same, and spaces do not count."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _accepted(found: Notice, fields: Fields) -> frozenset[str]:
    """What was ticked; to everyone is answered by its own word."""
    codes = set(fields.getall("accept", []))
    if found.spec.target.kind == TargetKind.EVERYONE:
        codes.add("everyone")
    return frozenset(codes)


def _mistake(found: Notice, word: str, version: str) -> str:
    if version != str(found.version_id):
        return CHANGED
    wanted = approval_word(found.spec)
    return "" if normalise_word(word) == wanted else WRONG_WORD.format(word=wanted)


async def _confirm_page(
    staff_request: StaffRequest,
    found: Notice,
    forecast: Forecast,
    error: str = "",
    accepted: frozenset[str] = frozenset(),
) -> web.Response:
    town, spec = staff_request.service.town, found.spec
    consent = await consent_for(staff_request, found)
    trial = await trial_part(staff_request, found)
    return staff_request.page(
        "console/confirm.html",
        status=422 if error or forecast.problems else 200,
        notice=found,
        spec=spec,
        forecast=forecast,
        error=error,
        accepted=accepted,
        outline=outline(found),
        undo_seconds=undo_time(town, spec) // SECOND,
        consent=consent,
        trial=trial,
        more_quota=MORE_QUOTA,
        word=approval_word(spec),
        target=spec.target.describe(town, spec.category),
        category=category_words(town, spec.category),
        mode=mode_words(spec.mode),
        urgency=urgency_words(spec.urgency),
        language_name=language_words,
        channel_name=channel_words,
        account_name=lambda impact: account_words(town, impact.account),
        not_posted=_not_posted(spec, forecast),
    )


def _not_posted(spec: NoticeSpec, forecast: Forecast) -> list[str]:
    """Chosen services of which no account is for this notice."""
    posted = {impact.channel for impact in forecast.impacts}
    return [channel_words(item) for item in spec.channels if item in POSTING and item not in posted]
