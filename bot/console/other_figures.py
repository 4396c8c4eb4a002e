"""Figures that stand beside ours and are never mixed with them: LINE's own, mail that is not confirmed or comes back,
and what is entered by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.record_pages import free_key
from bot.forms import Fields, read_fields
from bot.pages import redirect
from content.clock import now_ms, today_jst
from content.figures import hand_series, line_figures
from content.figures.counts import active_now
from content.figures.entered_numbers import BadEntry, in_words, read_day, read_number
from content.figures.hand_series import (
    LONGEST_NAME,
    LONGEST_SOURCE,
    LONGEST_UNIT,
    HandSeries,
    HandValue,
)
from content.figures.line_figures import LineFigure
from content.register import bounces, mail_requests
from content.staff import audit

PATH = "/console/reports/other-figures"
NEW = "new"
DAYS = 8


@dataclass(frozen=True, slots=True)
class MailFigures:
    """`suppressed` are among the `confirmed`."""

    confirmed: int
    unconfirmed: int
    suppressed: int


async def show(staff_request: StaffRequest) -> web.Response:
    return await _page(staff_request, {}, {})


async def enter(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    async with staff_request.service.database.read() as connection:
        known = {item.key: item for item in await hand_series.all_series(connection)}
    series, problems = _series(fields, known)
    value = day = None
    try:
        value = read_number(fields.get("value", ""))
    except BadEntry as error:
        problems["value"] = str(error)
    try:
        day = read_day(fields.get("day", ""), today_jst())
    except BadEntry as error:
        problems["day"] = str(error)
    source = fields.get("source", "").strip()
    if not 0 < len(source) <= LONGEST_SOURCE:
        problems["source"] = f"出典を{LONGEST_SOURCE}文字以内で入れてください。"
    if problems or value is None or day is None or series is None:
        return await _page(staff_request, dict(fields), problems)
    at, login = now_ms(), staff_request.staff.login
    async with staff_request.service.database.write() as connection:
        if await hand_series.enter(connection, series, day, value, source, staff=login, at=at):
            await audit.record(
                connection,
                at=at,
                actor=login,
                action="figure.entered",
                subject=f"series {series.key}",
                day=day.isoformat(),
                value=in_words(value),
            )
    return redirect(f"{PATH}?saved={series.key}#{series.key}")


def _series(fields: Fields, known: dict[str, HandSeries]) -> tuple[HandSeries | None, dict[str, str]]:
    """The series that was chosen, or a new one by the name that was typed."""
    key = fields.get("series", "")
    if key in known:
        return known[key], {}
    if key != NEW:
        return None, {"series": "系列を選んでください。"}
    name, unit = fields.get("name", "").strip(), fields.get("unit", "").strip()
    problems = {}
    if not 0 < len(name) <= LONGEST_NAME:
        problems["name"] = f"新しい系列の名前を{LONGEST_NAME}文字以内で入れてください。"
    if not 0 < len(unit) <= LONGEST_UNIT:
        problems["unit"] = f"単位を{LONGEST_UNIT}文字以内で入れてください(例: 人、件、回)。"
    same = next((item for item in known.values() if item.name == name), None)
    return (same or HandSeries(free_key("s"), name, unit), {}) if not problems else (None, problems)


async def _page(staff_request: StaffRequest, typed: dict[str, str], problems: dict[str, str]) -> web.Response:
    service, today, now = staff_request.service, today_jst(), now_ms()
    line, mail = service.town.live_account("line"), service.town.live_account("mail")
    async with service.database.read() as connection:
        series = [
            (item, list(reversed(await hand_series.all_values(connection, item.key))))
            for item in await hand_series.all_series(connection)
        ]
        active = await active_now(connection)
        from_line = await line_figures.line_figures(connection, today - timedelta(days=DAYS), today)
        mail_figures = None
        if mail is not None:
            suppressed = await bounces.count_suppressed(connection)
            mail_figures = MailFigures(
                active.get(mail.key, 0),
                await mail_requests.count_unconfirmed(connection, mail.key, now),
                sum(number for (account, _), number in suppressed.items() if account == mail.key),
            )
    mine = [item for item in from_line if line and item.account == line.key]
    return staff_request.page(
        "console/other_figures.html",
        status=422 if problems else 200,
        series=series,
        line=list(reversed(mine)),
        line_active=active.get(line.key, 0) if line else None,
        difference=_difference(mine, active.get(line.key, 0)) if line else None,
        mail=mail_figures,
        typed=typed,
        problems=problems,
        saved=staff_request.request.query.get("saved", ""),
        today=today,
        now=now,
        words_of=in_words,
        newest=_newest,
        new=NEW,
        limits={"name": LONGEST_NAME, "unit": LONGEST_UNIT, "source": LONGEST_SOURCE},
    )


def _newest(values: list[HandValue]) -> HandValue | None:
    return next((item for item in values if not item.superseded), None)


def _difference(figures: list[LineFigure], active: int) -> int | None:
    """Friends by LINE's count less our registrations; None where LINE gives no figure."""
    friends = figures[-1].friends if figures else None
    return None if friends is None else friends - active
