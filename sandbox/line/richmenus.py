"""Rich menus, their images and aliases. LINE Messaging API reference, #rich-menu-object."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

IMAGE_BYTES = 1024 * 1024
MENU_LIMIT = 1000
ALIAS_LIMIT = 1000


@dataclass(slots=True)
class RichMenu:
    """A menu as it was created, with its image once uploaded."""

    menu_id: str
    definition: dict[str, Any]
    image: bytes | None = None
    image_type: str = ""

    def public(self) -> dict[str, Any]:
        """The menu as the API answers it: only the documented fields."""
        fields = ("size", "selected", "name", "chatBarText", "areas")
        return {"richMenuId": self.menu_id, **{name: self.definition[name] for name in fields}}


class RichMenus:
    """All menus of a channel, the default one and the aliases."""

    def __init__(self) -> None:
        self.menus: dict[str, RichMenu] = {}
        self.aliases: dict[str, str] = {}
        self.default_id: str | None = None

    def effective(self, linked_id: str | None) -> RichMenu | None:
        """The menu on a phone: the user's own before the default one."""
        return self.menus.get(linked_id or "") or self.menus.get(self.default_id or "")

    def remove(self, menu_id: str) -> None:
        """Delete a menu; it also stops being the default."""
        del self.menus[menu_id]
        if self.default_id == menu_id:
            self.default_id = None


def image_size(data: bytes, content_type: str) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG or JPEG, None when the bytes are not one."""
    if content_type == "image/png":
        return _png_size(data)
    return _jpeg_size(data)


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24 or not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    position = 2
    while data[:2] == b"\xff\xd8" and position + 9 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[position + 5 : position + 9])
            return width, height
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return None
