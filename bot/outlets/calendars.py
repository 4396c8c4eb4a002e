"""Calendars as bytes (RFC 5545): what takes place, from the notices that tell of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from icalendar import Calendar, vUri
from icalendar import Event as CalendarEvent

from bot.outlets.current import Current
from bot.outlets.feeds import xml_text
from channels import rendering
from content.clock import SECOND
from content.notices.attachments import Event

PRODUCT = "-//kairanban//notices//JA"


@dataclass(frozen=True, slots=True)
class Entry:
    """`first` is the public id of the notice that began the chain: a correction changes the entry that is there
    already. `turn` counts the corrections."""

    item: Current
    event: Event
    first: str
    turn: int


def calendar(name: str, entries: Iterable[Entry]) -> bytes:
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    for entry in entries:
        made.add_component(_event(entry))
    return bytes(made.to_ical())


def _event(entry: Entry) -> CalendarEvent:
    item, announced = entry.item, entry.item.announced
    made = CalendarEvent()
    made.add("uid", f"{entry.first}@kairanban")
    made.add("sequence", entry.turn)
    made.add("dtstamp", _utc(item.changed))
    made.add("last-modified", _utc(item.changed))
    made.add("dtstart", _utc(entry.event.starts))
    if entry.event.ends is not None:
        made.add("dtend", _utc(entry.event.ends))
    made.add("summary", xml_text(item.title()))
    made.add("description", xml_text(f"{rendering.body(announced, 'ja')}\n\n{announced.contact}\n{item.url}"))
    made.add("categories", [announced.category_names.get("ja", announced.category)])
    made.add("status", "CANCELLED" if item.is_withdrawn or announced.kind == "withdrawal" else "CONFIRMED")
    made.add("url", vUri(item.url))
    if announced.place is not None:
        made.add("location", xml_text(announced.place.name))
        made.add("geo", (announced.place.latitude, announced.place.longitude))
    return made


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at // SECOND, UTC)
