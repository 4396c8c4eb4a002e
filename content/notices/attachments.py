"""What a notice carries beside its words: pictures (画像), a place (場所), an event (催し), and whether readers are asked to say
that they have read it (「読みました」). Part of a version, like the words.

A picture is named after its content, so that the name alone says which picture it is, how large and of what type.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

MOST_PICTURES = 3
ALT_LIMIT = 300
LABEL_LIMIT = 100
PICTURE_NAME = re.compile(r"[0-9a-f]{40}-([1-9][0-9]{0,4})x([1-9][0-9]{0,4})\.(jpg|png)")
# From 沖ノ鳥島 to 択捉島 and from 与那国島 to 南鳥島.
LATITUDES = (20.4, 45.6)
LONGITUDES = (122.9, 154.0)
_DEGREES = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,12})?")
# The address of a map as it is copied from the browser: 地理院地図, and others that write @latitude,longitude.
_IN_ADDRESS = re.compile(r"[#/@](?:[0-9]{1,2}/)?(-?[0-9]{1,3}\.[0-9]+)[/,](-?[0-9]{1,3}\.[0-9]+)")
NO_POINT = "位置を読み取れません。「38.0561, 140.7653」のように、緯度、経度の順に書いてください。"


@dataclass(frozen=True, slots=True)
class Picture:
    """`name` as content.notices.pictures gives it; `alts` maps language to what is to be seen, at least "ja"."""

    name: str
    alts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is: what people call it, its address if it has one, and degrees of latitude and longitude."""

    label: str
    address: str
    latitude: float
    longitude: float

    @property
    def is_in_japan(self) -> bool:
        north, east = self.latitude, self.longitude
        return LATITUDES[0] <= north <= LATITUDES[1] and LONGITUDES[0] <= east <= LONGITUDES[1]


@dataclass(frozen=True, slots=True)
class Event:
    """When something takes place, in ms; `ends` None where nobody said until when."""

    starts: int
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class Attachments:
    """Nothing, as a rule. `asks_read` None: as it is usual for the target."""

    pictures: tuple[Picture, ...] = ()
    place: Place | None = None
    asks_read: bool | None = None
    event: Event | None = None

    @property
    def names(self) -> list[str]:
        """Of the pictures, each once."""
        return list(dict.fromkeys(item.name for item in self.pictures))


def size_of(name: str) -> tuple[int, int]:
    """Width and height in pixels. Raises ValueError for what is no name of a picture."""
    found = PICTURE_NAME.fullmatch(name)
    if found is None:
        raise ValueError("not the name of a picture")
    return int(found[1]), int(found[2])


def names_in(texts: Iterable[str]) -> set[str]:
    """Every name of a picture that stands somewhere in these texts."""
    return {found.group() for text in texts for found in PICTURE_NAME.finditer(text)}


def to_json(attached: Attachments) -> str:
    """ "" for nothing."""
    return json.dumps(asdict(attached), ensure_ascii=False) if attached != Attachments() else ""


def from_json(text: str) -> Attachments:
    if not text:
        return Attachments()
    found: dict[str, Any] = json.loads(text)
    pictures = tuple(Picture(item["name"], item["alts"]) for item in found["pictures"])
    # Notices of before these could be said have no word of them.
    return Attachments(
        pictures,
        Place(**found["place"]) if found["place"] else None,
        found.get("asks_read"),
        Event(**found["event"]) if found.get("event") else None,
    )


def read_point(typed: str) -> tuple[float, float] | None:
    """Latitude and longitude, from figures or from the copied address of a map."""
    plain = unicodedata.normalize("NFKC", typed)
    copied = _IN_ADDRESS.search(plain)
    if copied:
        return float(copied[1]), float(copied[2])
    found = _DEGREES.findall(plain)
    if "://" in plain or len(found) != 2:
        return None
    return float(found[0]), float(found[1])
