"""What a resident who wants less presses, through the same acts as on the web."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.language_names import language_name
from bot.line import bubbles, leaving_pages
from bot.line.bubbles import Message
from bot.line.leaving_words import leaving_words
from bot.line.moments import moment_words
from bot.line.postbacks import Command
from bot.line.words import month_words, words
from bot.reading import have_read
from content import quiet_hours
from content.clock import today_jst
from content.keys import Keys
from content.register import leaving, subscriber_changes
from content.register.children import children_of
from content.register.own_data import latest_events
from content.register.states import Pace, Route, SubscriberState
from content.register.subscribers import Subscriber, require
from content.town import Named, Town

ERASED = "resident"
BACK = "undone"
MOST_EVENTS = 20


async def press(
    connection: AsyncConnection, town: Town, keys: Keys, found: Subscriber, command: Command, at: int
) -> list[Message]:
    """Make the change, if it is one, and answer."""
    speech = leaving_words(found.preferences.language)
    match command.values:
        case ("only",):
            changed = await leaving.pause(connection, found.id, route=Route.LINE, at=at)
            return leaving_pages.paused(changed.preferences)
        case ("pause",):
            return leaving_pages.ask_pause(found.preferences)
        case ("pause", days) if days in map(str, leaving_pages.PAUSES):
            until = today_jst() + timedelta(days=int(days))
            changed = await leaving.pause(connection, found.id, until, route=Route.LINE, at=at)
            return leaving_pages.paused(changed.preferences)
        case ("resume",):
            changed = await leaving.resume(connection, found.id, route=Route.LINE, at=at)
            return leaving_pages.paused(changed.preferences)
        case ("pace", pace) if pace in set(Pace):
            changed = await leaving.set_pace(connection, found.id, Pace(pace), route=Route.LINE, at=at)
            said = speech.morning_set if changed.preferences.pace == Pace.MORNING else speech.at_once_set
            return [bubbles.text_message(said.format(time=town.digest_at.removeprefix("0")))]
        case ("all",):
            return [leaving_pages.ask_stop(found.preferences)]
        case ("all_yes",):
            await leaving.stop(connection, found.id, route=Route.LINE, at=at)
            return leaving_pages.stopped(found.preferences, speech.stopped)
        case ("mine",):
            return [leaving_pages.mine(found.preferences)]
        case ("export",):
            return [bubbles.text_message(await _own_data(connection, town, keys, found))]
        case ("erase",):
            return [leaving_pages.ask_erase(found.preferences)]
        case ("erase_yes",):
            await subscriber_changes.erase(connection, found.id, reason=ERASED, at=at, route=Route.LINE)
            return [bubbles.text_message(speech.erased)]
    return [leaving_pages.stopping(found.preferences, today_jst())]


async def has_stopped(connection: AsyncConnection, found: Subscriber | None) -> bool:
    """Whether she asked for the end herself: then a tap on some button does not register her again."""
    if found is None or found.state != SubscriberState.LEFT:
        return False
    last = await latest_events(connection, found.id, 1)
    return bool(last) and last[0].reason == leaving.ENDED


async def start_again(connection: AsyncConnection, found: Subscriber, at: int) -> list[Message]:
    """Whenever she wants to, with what she had chosen."""
    await subscriber_changes.come_back(connection, found.id, reason=BACK, at=at, route=Route.LINE)
    return [bubbles.text_message(leaving_words(found.preferences.language).resumed)]


async def _own_data(connection: AsyncConnection, town: Town, keys: Keys, found: Subscriber) -> str:
    """All that is stored, as one text that she can copy. Her address is her LINE id, which no person reads."""
    chosen = (await require(connection, found.id)).preferences
    language = chosen.language
    speech, fixed = leaving_words(language), words(language)
    children = await children_of(connection, keys, found.id)
    months = [month_words(language, child.birth_month) for child in children]
    events = await latest_events(connection, found.id, MOST_EVENTS)
    read = (await have_read(connection, found))[:MOST_EVENTS]

    def names(keys_chosen: frozenset[str], known: dict[str, Named]) -> str:
        shown = [known[key].name(language) if key in known else key for key in sorted(keys_chosen)]
        return fixed.join.join(shown) or fixed.none

    lines = [
        (speech.registered, moment_words(language, found.joined_at)),
        (fixed.categories, names(chosen.categories, dict(town.category))),
        (fixed.areas, names(chosen.areas, dict(town.area)) if chosen.areas else fixed.no_area),
        (fixed.birth, fixed.join.join(leaving_pages.child_lines(language, children, months)) or fixed.none),
        (speech.groups, names(chosen.groups, dict(town.group))),
        (fixed.language, language_name(language)),
        (speech.quiet, _quiet(language, chosen.quiet_hours or town.quiet_hours)),
        (speech.pace, speech.morning if chosen.pace == Pace.MORNING else speech.at_once),
        ("LINE ID", "U…"),
        (
            speech.read,
            "\n".join(f"{moment_words(language, at)} {title}" for title, at in read) or fixed.none,
        ),
        (
            speech.events,
            "\n".join(_event(language, row.at, row.kind, row.route) for row in events),
        ),
    ]
    return "\n".join(f"{name}{fixed.colon}{value}" for name, value in lines)


def _quiet(language: str, text: str) -> str:
    found = quiet_hours.hours(text)
    if found is None:
        return words(language).none
    return quiet_hours.in_words(text) if language == "ja" else f"{found[0]}:00–{found[1]}:00"


def _event(language: str, at: int, kind: str, route: str) -> str:
    speech = leaving_words(language)
    by = f"（{speech.routes[route]}）" if route in speech.routes else ""
    return f"{moment_words(language, at)} {speech.kinds.get(kind, kind)}{by}"
