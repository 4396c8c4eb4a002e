"""The fields for pictures, the place and the 「読みました」 of a notice: to what is attached to it and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.forms import Fields
from content.clock import from_datetime, to_jst
from content.notices.attachments import (
    NO_POINT,
    PICTURE_NAME,
    Attachments,
    Event,
    Picture,
    Place,
    read_point,
)
from scheduler.checks import Problem

ASKS_READ = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class AttachedFields:
    """The fields as typed. `alts` maps (language, name of a picture) to its words."""

    pictures: tuple[str, ...] = ()
    alts: dict[tuple[str, str], str] = field(default_factory=dict)
    label: str = ""
    address: str = ""
    point: str = ""
    # Local times of an event, as the browser writes them.
    event_starts: str = ""
    event_ends: str = ""
    # yes, no, or "" for as it is usual.
    asks_read: str = ""
    # A file that was chosen and that the button beside it has not added.
    not_added: str = ""

    @property
    def has_place(self) -> bool:
        return bool(self.label or self.address or self.point)

    def alt(self, language: str, name: str) -> str:
        return self.alts.get((language, name), "")


def read_attached(languages: Sequence[str], fields: Fields, text: Callable[[str], str]) -> AttachedFields:
    """What the browser sent; `text` reads one field of it."""
    names = tuple(dict.fromkeys(filter(PICTURE_NAME.fullmatch, fields.getall("picture", []))))
    return AttachedFields(
        pictures=names,
        alts={(tag, name): text(f"alt.{tag}.{name}") for tag in languages for name in names},
        label=text("place_label"),
        address=text("place_address"),
        point=text("place_point"),
        event_starts=text("event_starts"),
        event_ends=text("event_ends"),
        asks_read=text("asks_read"),
        not_added=text("picture_file"),
    )


def fields_of(attached: Attachments) -> AttachedFields:
    place, event = attached.place, attached.event
    return AttachedFields(
        pictures=tuple(attached.names),
        alts={(tag, item.name): alt for item in attached.pictures for tag, alt in item.alts.items()},
        label=place.label if place else "",
        address=place.address if place else "",
        point=f"{place.latitude:.6f}, {place.longitude:.6f}" if place else "",
        event_starts=_typed(event.starts) if event else "",
        event_ends=_typed(event.ends) if event and event.ends is not None else "",
        asks_read={None: "", True: "yes", False: "no"}[attached.asks_read],
    )


def attached_from(fields: AttachedFields) -> Attachments:
    """What the fields ask for; what cannot be read is left out, see `attached_problems`."""
    pictures = tuple(
        Picture(name, {tag: alt for (tag, of), alt in fields.alts.items() if of == name and alt})
        for name in fields.pictures
    )
    point = read_point(fields.point)
    place = Place(fields.label, fields.address, *point) if point else None
    starts, ends = _moment(fields.event_starts), _moment(fields.event_ends)
    event = Event(starts, ends) if starts is not None else None
    return Attachments(pictures, place, ASKS_READ.get(fields.asks_read), event)


def _moment(typed: str) -> int | None:
    try:
        return from_datetime(datetime.fromisoformat(typed)) if typed else None
    except (ValueError, OverflowError):
        return None


def _typed(at: int) -> str:
    return f"{to_jst(at):%Y-%m-%dT%H:%M}"


def attached_problems(fields: AttachedFields) -> list[Problem]:
    problems = []
    if fields.not_added:
        problems.append(
            Problem(
                "picture_file",
                f"画像「{fields.not_added[:60]}」は、まだ足していません。「画像を足す」を押すか、選び直しをやめてください。",
            )
        )
    if fields.point and read_point(fields.point) is None:
        problems.append(Problem("place_point", NO_POINT))
    elif fields.has_place and not fields.point:
        problems.append(Problem("place_point", f"場所の位置を書いてください。{NO_POINT.partition('。')[2]}"))
    for name, typed in (("event_starts", fields.event_starts), ("event_ends", fields.event_ends)):
        if typed and _moment(typed) is None:
            problems.append(Problem(name, "日時を読み取れません。選び直してください。"))
    if fields.event_ends and not fields.event_starts:
        problems.append(Problem("event_starts", "催しが始まる日時も書いてください。"))
    return problems
