"""The settings of a mail registration, open in a browser that came by a link out of the mailbox."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from aiohttp import web

from bot.forms import Fields, read_fields
from bot.group_joining import join_group
from bot.pages import page, redirect, service_of
from bot.reading import have_read
from bot.resident.settings_session import PATH, close_settings, whose_settings
from bot.resident.settings_shown import SPANS, clock_time, hours_words, pause_choice, shown_address, spans_of
from bot.resident.settings_words import words_for
from bot.resident.subscribe import mail_account
from bot.same_site import comes_from_here
from bot.service import Service
from bot.split_hints import split_hints
from content import clock, quiet_hours
from content.notices.records import town_now
from content.register import address_book, children, subscriber_changes
from content.register.children import BadChild
from content.register.own_data import own_data
from content.register.states import Pace, Route
from content.register.subscribers import UNTIL_CHANGED, Preferences, Subscriber, require
from content.register.tokens import subscriber_token

REASON = "resident"
LONGEST_CODE = 40


class BadSettings(ValueError):
    """The settings cannot be kept; the message is the name of the words for it."""


async def show_settings(request: web.Request) -> web.Response:
    service = service_of(request)
    found = await whose_settings(request, service)
    if found is None:
        return page(
            request, "resident/settings_ask.html", by_mail=mail_account(service) is not None, typed=""
        )
    return await _settings(request, found)


async def save_settings(request: web.Request) -> web.Response:
    service, found = await _here(request)
    if found is None:
        return redirect(PATH)
    fields = await read_fields(request)
    today = clock.to_jst(service.database.now()).date()
    try:
        wanted = chosen(service, fields, found.preferences, today)
    except BadSettings as error:
        return await _settings(request, found, problem=str(error))
    async with service.database.write() as connection:
        await subscriber_changes.alter_preferences(
            connection,
            found.id,
            # Children and groups have acts of their own, and may have changed meanwhile.
            lambda now: replace(wanted, birth_months=now.birth_months, groups=now.groups),
            reason=REASON,
            at=service.database.now(),
            route=Route.WEB,
        )
    return redirect(f"{PATH}?saved=1")


def chosen(service: Service, fields: Fields, before: Preferences, today: date) -> Preferences:
    """What the form says. Raises BadSettings; what is closed stays as it was."""
    town = service.town
    offered = {item.key for item in town.categories if not item.closed and not item.always}
    open_areas = {item.key for item in town.open_areas}
    categories = set(fields.getall("category", [])) - set(town.always_categories)
    areas = set(fields.getall("area", []))
    language, quiet = str(fields.get("language", "")), str(fields.get("quiet", ""))
    if not (categories <= offered and areas <= open_areas and language in town.languages):
        raise BadSettings("bad_choice")
    if quiet and quiet not in {*SPANS, quiet_hours.NONE, before.quiet_hours}:
        raise BadSettings("bad_choice")
    pace = str(fields.get("pace", before.pace))
    if pace not in set(Pace):
        raise BadSettings("bad_choice")
    kept = {key for key in before.categories if key not in offered}
    return replace(
        before,
        categories=frozenset(categories | kept | set(town.always_categories)),
        areas=frozenset(areas | (before.areas - open_areas)),
        language=language,
        quiet_hours=quiet,
        pace=Pace(pace),
        paused_until=_pause(fields, today),
    )


def _pause(fields: Fields, today: date) -> date | None:
    match fields.get("pause", "none"):
        case "none":
            return None
        case "open":
            return UNTIL_CHANGED
        case "until":
            try:
                until = date.fromisoformat(str(fields.get("pause_date", "")))
            except ValueError:
                raise BadSettings("bad_date") from None
            if until <= today:
                raise BadSettings("bad_date")
            return until
    raise BadSettings("bad_choice")


async def add_child(request: web.Request) -> web.Response:
    service, found = await _here(request)
    if found is None:
        return redirect(PATH)
    fields = await read_fields(request)
    year, month = str(fields.get("year", "")), str(fields.get("month", ""))
    now = service.database.now()
    try:
        async with service.database.write() as connection:
            await children.add_child(
                connection,
                service.keys,
                found.id,
                f"{year}-{month:0>2}",
                str(fields.get("word", "")),
                today=clock.to_jst(now).date(),
                route=Route.WEB,
                at=now,
            )
    except BadChild as error:
        return await _settings(request, found, problem=f"bad_{error}", at_children=True)
    return redirect(f"{PATH}?saved=1#children")


async def remove_child(request: web.Request) -> web.Response:
    service, found = await _here(request)
    if found is None:
        return redirect(PATH)
    month = str((await read_fields(request)).get("birth_month", ""))
    async with service.database.write() as connection:
        await children.remove_child(connection, found.id, month, route=Route.WEB, at=service.database.now())
    return redirect(f"{PATH}?saved=1#children")


async def join(request: web.Request) -> web.Response:
    """A group, by the code that somebody was handed."""
    service, found = await _here(request)
    if found is None:
        return redirect(PATH)
    code = str((await read_fields(request)).get("code", ""))[:LONGEST_CODE]
    async with service.database.write() as connection:
        joined = await join_group(
            connection,
            service.town,
            found.id,
            code,
            language=found.preferences.language,
            route=Route.WEB,
            at=service.database.now(),
        )
        found = await require(connection, found.id)
    return await _settings(request, found, told=joined.answer, wrong_code=not joined.belongs)


async def export(request: web.Request) -> web.Response:
    """All that is stored about the registration, for its owner."""
    service = service_of(request)
    found = await whose_settings(request, service)
    if found is None:
        return redirect(PATH)
    async with service.database.read() as connection:
        content = await own_data(connection, service.keys, service.town, found)
        read = await have_read(connection, found)
    content["read"] = [{"title": title, "at": clock.iso(at)} for title, at in read]
    return web.json_response(
        content,
        headers={"Content-Disposition": 'attachment; filename="kairanban.json"'},
        dumps=_json,
    )


async def show_erase(request: web.Request) -> web.Response:
    found = await whose_settings(request, service_of(request))
    if found is None:
        return redirect(PATH)
    words = words_for(found.preferences.language)
    return page(request, "resident/settings_erase.html", w=words, tag=found.preferences.language)


async def erase(request: web.Request) -> web.Response:
    service, found = await _here(request)
    if found is None:
        return redirect(PATH)
    async with service.database.write() as connection:
        await subscriber_changes.erase(
            connection, found.id, reason="erased", at=service.database.now(), route=Route.WEB
        )
    return _gone(request, found, "erased")


async def close(request: web.Request) -> web.Response:
    _, found = await _here(request)
    return redirect(PATH) if found is None else _gone(request, found, "closed")


async def _here(request: web.Request) -> tuple[Service, Subscriber | None]:
    """Whose settings a sent form is about; 403 when another site sent it, 4xx for what is no form."""
    service = service_of(request)
    if not comes_from_here(request, service):
        raise web.HTTPForbidden
    await read_fields(request)
    return service, await whose_settings(request, service)


async def _settings(
    request: web.Request,
    found: Subscriber,
    *,
    problem: str = "",
    at_children: bool = False,
    told: str = "",
    wrong_code: bool = False,
) -> web.Response:
    service = service_of(request)
    town, words = service.town, words_for(found.preferences.language)
    async with service.database.read() as connection:
        born = await children.children_of(connection, service.keys, found.id)
        groups = (await town_now(connection, town)).group
        opened = await connection.run_sync(
            partial(
                address_book.open_addresses,
                keys=service.keys,
                account=found.account,
                subscriber_ids=[found.id],
                with_left=True,
            )
        )
    today = clock.to_jst(service.database.now()).date()
    return page(
        request,
        "resident/settings.html",
        status=400 if problem or wrong_code else 200,
        w=words,
        tag=found.preferences.language,
        masked=shown_address(
            town, found.account, opened.clear[found.id][0] if found.id in opened.clear else ""
        ),
        chosen=found.preferences,
        pause=pause_choice(found.preferences, today),
        categories=[item for item in town.categories if not item.closed],
        areas=town.open_areas,
        splits={kind: split_hints(town, kind, found.preferences, today) for kind in ("category", "area")},
        spans=spans_of(found.preferences.quiet_hours, words),
        digest_at=clock_time(town.digest_at),
        town_quiet=hours_words(town.quiet_hours, words),
        children=born,
        years=range(today.year, today.year - children.OLDEST_YEARS - 1, -1),
        tomorrow=today + timedelta(days=1),
        problem=getattr(words, problem) if problem else "",
        at_children=at_children,
        told=told,
        wrong_code=wrong_code,
        groups=[
            groups[key].name(found.preferences.language)
            for key in sorted(found.preferences.groups)
            if key in groups
        ],
        welcome="welcome" in request.query,
        saved="saved" in request.query,
        stop=f"/unsubscribe/{subscriber_token(service.keys, 'unsubscribe', found.id, found.salt)}",
    )


def _gone(request: web.Request, found: Subscriber, what: str) -> web.Response:
    service = service_of(request)
    words = words_for(found.preferences.language)
    response = page(
        request, "resident/settings_gone.html", w=words, tag=found.preferences.language, what=what
    )
    close_settings(service, response)
    return response


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
