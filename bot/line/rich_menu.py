"""The menu below the chat: three large tiles, the same for every friend.

The picture is made from rich_menu.html, once, after every change of that file:
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 \
        --window-size=2500,843 --screenshot=rich_menu.png rich_menu.html
A menu's name carries the hash of its content, so a new picture or layout makes a new menu.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import structlog

from bot.line.postbacks import data
from bot.service import Service
from channels.channel import BatchRefused
from channels.line.api import LineApi

log = structlog.get_logger(__name__)

PICTURE = Path(__file__).with_name("rich_menu.png")
OURS = "kairanban-"
WIDTH, HEIGHT = 2500, 843
# Read out by screen readers, so both languages stand in each.
TILES = (
    ("受信設定 Settings", "categories"),
    ("登録内容 My choices", "summary"),
    ("ことば Language", "language"),
)


async def set_up(service: Service, api: LineApi) -> str:
    """Make the current menu the default and remove older ones of ours; its id. Running it again changes nothing.

    Raises ChannelError.
    """
    del service  # one menu for every town
    menu, picture = rich_menu()
    existing = await api.list_rich_menus()
    same = [str(item["richMenuId"]) for item in existing if item.get("name") == menu["name"]]
    menu_id = await _complete(api, same, menu, picture)
    for item in existing:
        old = str(item["richMenuId"])
        if old != menu_id and str(item.get("name", "")).startswith(OURS):
            await _remove(api, old)
    return menu_id


@cache
def rich_menu() -> tuple[dict[str, Any], bytes]:
    """The menu as LINE takes it, and its picture."""
    picture = PICTURE.read_bytes()
    layout = {
        "size": {"width": WIDTH, "height": HEIGHT},
        "selected": True,
        "chatBarText": "メニュー / Menu",
        "areas": [_area(index, label, step) for index, (label, step) in enumerate(TILES)],
    }
    content = json.dumps(layout, sort_keys=True).encode() + picture
    return {**layout, "name": OURS + hashlib.sha256(content).hexdigest()[:16]}, picture


async def _complete(api: LineApi, same: list[str], menu: dict[str, Any], picture: bytes) -> str:
    for menu_id in same:
        try:
            await api.set_default_rich_menu(menu_id)
            return menu_id
        except BatchRefused:
            # Left without a picture when an earlier set-up was cut off; removed with the old ones.
            log.info("rich_menu_incomplete")
    menu_id = await api.create_rich_menu(menu)
    await api.upload_rich_menu_image(menu_id, picture)
    await api.set_default_rich_menu(menu_id)
    return menu_id


async def _remove(api: LineApi, menu_id: str) -> None:
    try:
        await api.delete_rich_menu(menu_id)
    except BatchRefused as error:
        if error.reason != "not_found":
            raise


def _area(index: int, label: str, step: str) -> dict[str, Any]:
    left, right = (WIDTH * edge // len(TILES) for edge in (index, index + 1))
    return {
        "bounds": {"x": left, "y": 0, "width": right - left, "height": HEIGHT},
        "action": {
            "type": "postback",
            "label": label,
            "data": data("show", step),
            "displayText": label,
            # Half the screen is the menu; the page that opens needs the room.
            "inputOption": "closeRichMenu",
        },
    }
