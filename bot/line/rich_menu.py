"""The menu below the chat: six tiles for every day in each language, and another one for a disaster.

Drawn from the town's languages and words. A menu's name carries the hash of its content, so a new picture or
layout makes a new menu; a tile with a language changes the menu of whoever presses it, by alias.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog

from bot.language_names import language_name
from bot.line import bubbles
from bot.line.answer_words import answer_words
from bot.line.menu_picture import Tile, draw
from bot.line.postbacks import data
from bot.line.wishes import Wish
from bot.line.words import WORDS, words
from bot.service import Service
from channels.channel import BatchRefused
from channels.line.api import LineApi
from content.notices.chat_menu import ChatMenu
from content.town import Town

log = structlog.get_logger(__name__)

OURS = "kairanban-"
FIRST_LANGUAGE = "ja"
WIDTH, HEIGHT = 2500, 1686
COLUMNS, ROWS = 3, 2
GREEN, BLUE, RED, DARK = "#14532D", "#1E3A6B", "#9B1C1C", "#3F3F46"
LABEL_LIMIT = 20
BAR_LIMIT = 14


@dataclass(frozen=True, slots=True)
class Menu:
    """As LINE takes it, with its picture."""

    definition: dict[str, Any]
    picture: bytes

    @property
    def name(self) -> str:
        return str(self.definition["name"])


async def set_up(service: Service, api: LineApi, shown: ChatMenu = ChatMenu.EVERYDAY) -> str:
    """Bring the menus up, remove older ones of ours, show one; its id. Running it again changes nothing.

    Raises ChannelError or NoPicture.
    """
    town = service.town
    wanted = await asyncio.to_thread(all_menus, town)
    existing = await api.list_rich_menus()
    ids = {key: await _complete(api, existing, menu) for key, menu in wanted.items()}
    for language in shown_languages(town):
        await api.set_rich_menu_alias(alias(language), ids[language])
    default = ids[ChatMenu.DISASTER if shown == ChatMenu.DISASTER else FIRST_LANGUAGE]
    await api.set_default_rich_menu(default)
    for item in existing:
        old = str(item["richMenuId"])
        if old not in ids.values() and str(item.get("name", "")).startswith(OURS):
            await _remove(api, old)
    return default


async def show(api: LineApi, menu: ChatMenu) -> bool:
    """Show one of the menus that `set_up` has brought up; False when there is none. Draws nothing."""
    wanted = (await our_menus(api)).get(FIRST_LANGUAGE if menu == ChatMenu.EVERYDAY else menu)
    if wanted is None:
        return False
    if await api.default_rich_menu() != wanted:
        await api.set_default_rich_menu(wanted)
    return True


async def our_menus(api: LineApi) -> dict[str, str]:
    """The id of each menu that `set_up` has brought up: by language, as its name writes it, and that of a disaster."""
    names = {str(item.get("name", "")): str(item["richMenuId"]) for item in await api.list_rich_menus()}
    return {
        name.removeprefix(OURS).rpartition("-")[0]: menu_id
        for name, menu_id in names.items()
        if name.startswith(OURS)
    }


def all_menus(town: Town) -> dict[str, Menu]:
    """Language → its menu of every day, and that of a disaster. Takes a second to draw."""
    everyday = {language: _everyday(town, language) for language in shown_languages(town)}
    return {**everyday, ChatMenu.DISASTER: disaster_menu(town)}


@lru_cache(maxsize=16)
def _everyday_of(name: str, languages: tuple[str, ...], language: str) -> Menu:
    speech, fixed = answer_words(language), words(language)
    tiles = [
        (fixed.settings, data("show", "categories"), GREEN),
        (speech.shelters, data("ask", Wish.SHELTERS), RED),
        (speech.recent, data("ask", Wish.RECENT), GREEN),
        (speech.doctor, data("ask", Wish.DOCTOR), BLUE),
        (speech.menu_title, data("ask", Wish.MENU), GREEN),
    ]
    places = _places()
    areas, drawn = [], []
    for (label, command, ground), place in zip(tiles, places, strict=False):
        # On a tile there is room for the kanji or for the reading; whoever needs it reads the reading.
        word = bubbles.READING.sub(r"\1", label)
        areas.append(_area(place, _postback(label, command)))
        drawn.append(Tile(*place, _two_lines(word), "", ground))
    others = [other for other in languages if other != language]
    for other, place in zip(others, _split(places[5], len(others)), strict=True):
        areas.append(_area(place, _switch(other)))
        drawn.append(Tile(*place, language_name(other), "", DARK))
    return _menu(language.replace("-", "_"), f"{name} メニュー", areas, drawn)


def _everyday(town: Town, language: str) -> Menu:
    return _everyday_of(town.name, tuple(shown_languages(town)), language)


def disaster_menu(town: Town) -> Menu:
    """One for all languages, since it comes to everybody at once."""
    del town  # the numbers are those of the whole country
    return _disaster()


@lru_cache(maxsize=1)
def _disaster() -> Menu:
    tiles = [
        (
            "避難所を\nさがす",
            "Evacuation sites",
            _postback("避難所 Evacuation", data("ask", Wish.SHELTERS)),
            RED,
        ),
        ("いまの\nお知らせ", "Latest notices", _postback("お知らせ Notices", data("ask", Wish.RECENT)), RED),
        ("119", "火事・救急 Fire, ambulance", _call("119 火事・救急 Ambulance", "119"), DARK),
        ("110", "警察 Police", _call("110 警察 Police", "110"), DARK),
        ("171", "災害用伝言ダイヤル Messages", _call("171 伝言 Messages", "171"), DARK),
        ("できること", "Menu", _postback("メニュー Menu", data("ask", Wish.MENU)), GREEN),
    ]
    areas, drawn = [], []
    for (word, below, action, ground), place in zip(tiles, _places(), strict=True):
        areas.append(_area(place, action))
        drawn.append(Tile(*place, word, below, ground))
    return _menu(ChatMenu.DISASTER, "災害時 Emergency", areas, drawn)


def alias(language: str) -> str:
    """Under which the tiles of other menus lead to a language."""
    return f"{OURS}{language.lower()}"


def shown_languages(town: Town) -> list[str]:
    """Those of the town that have a menu."""
    return [language for language in town.languages if language in WORDS]


def _menu(kind: str, bar: str, areas: list[dict[str, Any]], drawn: list[Tile]) -> Menu:
    picture = draw(WIDTH, HEIGHT, drawn)
    layout = {
        "size": {"width": WIDTH, "height": HEIGHT},
        "selected": True,
        "chatBarText": bar[:BAR_LIMIT],
        "areas": areas,
    }
    content = json.dumps(layout, sort_keys=True).encode() + picture
    return Menu({**layout, "name": f"{OURS}{kind}-{hashlib.sha256(content).hexdigest()[:16]}"}, picture)


async def _complete(api: LineApi, existing: list[dict[str, Any]], menu: Menu) -> str:
    for item in existing:
        menu_id = str(item["richMenuId"])
        # One without a picture is left from a set-up that was cut off; it is removed with the old ones.
        if item.get("name") == menu.name and await api.has_rich_menu_image(menu_id):
            return menu_id
    menu_id = await api.create_rich_menu(menu.definition)
    await api.upload_rich_menu_image(menu_id, menu.picture)
    return menu_id


async def _remove(api: LineApi, menu_id: str) -> None:
    try:
        await api.delete_rich_menu(menu_id)
    except BatchRefused as error:
        if error.reason != "not_found":
            raise


def _places() -> list[tuple[int, int, int, int]]:
    """Left, top, width, height of each tile, in reading order, without a gap."""
    across = [WIDTH * column // COLUMNS for column in range(COLUMNS + 1)]
    down = [HEIGHT * row // ROWS for row in range(ROWS + 1)]
    return [
        (across[column], down[row], across[column + 1] - across[column], down[row + 1] - down[row])
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]


def _split(place: tuple[int, int, int, int], parts: int) -> list[tuple[int, int, int, int]]:
    left, top, width, height = place
    edges = [top + height * part // max(1, parts) for part in range(parts + 1)]
    return [(left, edges[part], width, edges[part + 1] - edges[part]) for part in range(parts)]


def _area(place: tuple[int, int, int, int], action: dict[str, Any]) -> dict[str, Any]:
    left, top, width, height = place
    return {"bounds": {"x": left, "y": top, "width": width, "height": height}, "action": action}


def _postback(label: str, command: str) -> dict[str, Any]:
    spoken = bubbles.short(label, LABEL_LIMIT)
    # Half the screen is the menu; the page that opens needs the room.
    return {
        "type": "postback",
        "label": spoken,
        "data": command,
        "displayText": spoken,
        "inputOption": "closeRichMenu",
    }


def _switch(language: str) -> dict[str, Any]:
    return {
        "type": "richmenuswitch",
        "label": bubbles.short(language_name(language), LABEL_LIMIT),
        "richMenuAliasId": alias(language),
        "data": data("language", language),
    }


def _call(label: str, number: str) -> dict[str, Any]:
    return {"type": "uri", "label": bubbles.short(label, LABEL_LIMIT), "uri": f"tel:{number}"}


def _two_lines(word: str) -> str:
    """Broken where the halves are most alike, after a blank or a particle."""
    breaks = [at + 1 for at, sign in enumerate(word[:-1]) if sign in " のを"]
    if len(word) <= 6 or not breaks:
        return word
    middle = min(breaks, key=lambda at: abs(2 * at - len(word)))
    return word[:middle].rstrip() + "\n" + word[middle:]
