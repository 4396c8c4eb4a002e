"""The last look before sending: who would get it, how it will look, and a word typed by hand."""

from __future__ import annotations

import asyncio
import unicodedata
from dataclasses import dataclass, replace

from aiohttp import web

from bot.console.access import Visit
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
from bot.pages import redirect
from content.notices import Notice
from scheduler import posting
from scheduler.posting import Impact, Problem, Refused
from scheduler.quota import Shortage, foresee

WRONG_WORD = "「{word}」と入力してください。まだ送信していません。"
LEFT_OVER = "「○○」が残ったままです。内容を直すか、このまま送ることを確かめる欄に印を付けてください。まだ送信していません。"
CHANGED = "この画面を開いたあとに、内容が変わりました。今の内容を確かめてから、もう一度入力してください。まだ送信していません。"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What approving would do now, or why it cannot be done."""

    impacts: tuple[Impact, ...]
    problems: tuple[Problem, ...]
    shortages: tuple[Shortage, ...] = ()

    @property
    def bearable(self) -> int:
        """How many would be sent to: an account that cannot reach everyone reaches nobody."""
        short = {item.account for item in self.shortages}
        return sum(item.count for item in self.impacts if item.account not in short)

    @property
    def total(self) -> int:
        return sum(item.count for item in self.impacts)

    @property
    def broadcasts(self) -> bool:
        return any(item.broadcast for item in self.impacts)


async def show_confirm(visit: Visit) -> web.Response:
    found = await posting.find(visit.service.office, visit.notice_id)
    if found.state != "draft":
        return redirect(f"/console/notices/{found.id}")
    return _confirm_page(visit, found, await _look_ahead(visit, found))


async def approve(visit: Visit) -> web.Response:
    """Sends nothing unless the word is right, the content is what was shown, and somebody would get it."""
    found = await posting.find(visit.service.office, visit.notice_id)
    if found.state != "draft":
        return redirect(f"/console/notices/{found.id}")
    fields = await visit.request.post()
    outlook = await _look_ahead(visit, found)
    error = _mistake(found, str(fields.get("word", "")), str(fields.get("version", "")))
    if not error and placeholders(found.draft.texts) and not fields.get("leave_placeholders"):
        # With shaking hands the typed word alone would send a template to the whole town.
        error = LEFT_OVER
    if error or outlook.problems or _reaches_nobody(found, outlook):
        return _confirm_page(visit, found, outlook, error)
    try:
        await posting.approve(
            visit.service.office, found.id, staff=visit.staff.login, version_id=found.version_id
        )
    except Refused as refused:
        return _confirm_page(visit, found, Outlook((), tuple(refused.problems)))
    return redirect(f"/console/notices/{found.id}")


def normalise_word(text: str) -> str:
    """Full and half width are the same, and spaces do not count."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _mistake(found: Notice, word: str, version: str) -> str:
    if version != str(found.version_id):
        return CHANGED
    wanted = approval_word(found.draft)
    return "" if normalise_word(word) == wanted else WRONG_WORD.format(word=wanted)


def _reaches_nobody(found: Notice, outlook: Outlook) -> bool:
    # At a scheduled time there may be registrations, so only sending at once is refused.
    return outlook.total == 0 and found.draft.at is None and found.draft.rule is None


async def _look_ahead(visit: Visit, found: Notice) -> Outlook:
    office = visit.service.office
    # The first rendering for LINE imports its SDK (over a second), so not on the event loop.
    problems = await asyncio.to_thread(posting.find_problems, office, found.draft)
    if problems:
        return Outlook((), tuple(problems))
    try:
        impacts = await posting.measure_impact(office, found.draft, found.id)
    except Refused as refused:
        return Outlook((), tuple(refused.problems))
    shortages = await foresee(office, found.draft, {item.account: item.count for item in impacts})
    outlook = Outlook(tuple(impacts), (), tuple(shortages))
    # At a scheduled time another month may have begun, so only sending at once is refused.
    if shortages and not outlook.bearable and found.draft.at is None:
        return replace(outlook, problems=tuple(_as_problem(visit, item) for item in shortages))
    return outlook


def _as_problem(visit: Visit, item: Shortage) -> Problem:
    name = account_words(visit.service.town, item.account)
    return Problem("channels", f"{name}では送れません。{shortage_words(item)}{MORE_QUOTA}")


def _confirm_page(visit: Visit, found: Notice, outlook: Outlook, error: str = "") -> web.Response:
    town, draft = visit.service.town, found.draft
    return visit.page(
        "console/confirm.html",
        status=422 if error or outlook.problems else 200,
        notice=found,
        draft=draft,
        outlook=outlook,
        error=error,
        outline=outline(found),
        nobody=_reaches_nobody(found, outlook),
        shortages=[(account_words(town, item.account), shortage_words(item)) for item in outlook.shortages],
        more_quota=MORE_QUOTA,
        word=approval_word(draft),
        target=draft.target.describe(town, draft.category),
        category=category_words(town, draft.category),
        mode=mode_words(draft.mode),
        urgency=urgency_words(draft.urgency),
        placeholders=[
            f"{'件名' if part == 'title' else '本文'}({language_words(tag)})"
            for tag, part in placeholders(draft.texts)
        ],
        language_name=language_words,
        channel_name=channel_words,
    )
