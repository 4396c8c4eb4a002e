"""Designated evacuation sites (指定緊急避難場所) and whether staff have opened them.

A site that is designated need not be open: that is said wherever one is shown, and the opening state is what
a person has set, with the time of it, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt

from pydantic import Field
from sqlalchemy import BigInteger, CheckConstraint, Column, Table, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import insert_unless_known, metadata, one_of
from content.town import Key, Named

EARTH_KM = 6371.0
# Whoever is farther from every site of the town than this is somewhere else.
FAR_KM = 20.0
VALID_FOR = 3 * DAY


class Hazard(StrEnum):
    """What a site is suitable for, in the order of the open data."""

    FLOOD = "flood"
    LANDSLIDE = "landslide"
    STORM_SURGE = "storm_surge"
    EARTHQUAKE = "earthquake"
    TSUNAMI = "tsunami"
    FIRE = "fire"
    INLAND_FLOOD = "inland_flood"
    VOLCANO = "volcano"


class OpeningState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    FULL = "full"


class Shelter(Named):
    """One site. `area` is the key of the district under which it is listed, "" for none."""

    address: str = ""
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    phone: str = ""
    area: Key | str = ""
    hazards: tuple[Hazard, ...] = ()
    capacity: int | None = Field(default=None, ge=0)
    # Also a 指定避難所, where people can stay.
    for_staying: bool = False
    note: str = ""
    closed: bool = False


shelter_opening = Table(
    "shelter_opening",
    metadata,
    Column("key", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    CheckConstraint(one_of("state", OpeningState), name="state"),
)


@dataclass(frozen=True, slots=True)
class Opening:
    state: OpeningState
    changed_at: int
    changed_by: str


@dataclass(frozen=True, slots=True)
class Nearby:
    """A site, `km` from where somebody is; None when that is not known."""

    shelter: Shelter
    km: float | None = None


async def openings(connection: AsyncConnection, now: int) -> dict[str, Opening]:
    """What staff have said, by the key of the site. What nobody has said for long is not known any more."""
    rows = await connection.execute(
        select(shelter_opening).where(shelter_opening.c.changed_at > now - VALID_FOR)
    )
    return {row.key: Opening(OpeningState(row.state), row.changed_at, row.changed_by) for row in rows}


async def set_opening(
    connection: AsyncConnection, key: str, state: OpeningState | None, *, staff: str, at: int
) -> None:
    """None takes back what was said: the state is unknown then."""
    if state is None:
        await connection.execute(delete(shelter_opening).where(shelter_opening.c.key == key))
        return
    values = {"state": state, "changed_by": staff, "changed_at": at}
    await connection.execute(
        insert_unless_known(connection, shelter_opening)
        .values(key=key, **values)
        .on_conflict_do_update(index_elements=["key"], set_=values)
    )


def nearest(shelters: Sequence[Shelter], latitude: float, longitude: float, limit: int) -> list[Nearby]:
    """The nearest sites first, [] when the place is none of the town's: 0,0 or too far from all of them."""
    placed = [
        Nearby(item, distance_km(latitude, longitude, item.latitude, item.longitude))
        for item in shelters
        if not item.closed and item.latitude is not None and item.longitude is not None
    ]
    near = sorted(placed, key=lambda one: (one.km or 0.0, one.shelter.key))[:limit]
    return near if near and (near[0].km or 0.0) <= FAR_KM else []


def of_area(shelters: Sequence[Shelter], area: str) -> list[Nearby]:
    """The sites that are listed under a district."""
    return [Nearby(item) for item in shelters if item.area == area and not item.closed]


def distance_km(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """As the crow flies, over a sphere: off by at most half a per cent."""
    phi, to_phi = radians(latitude), radians(to_latitude)
    half = (
        sin((to_phi - phi) / 2) ** 2
        + cos(phi) * cos(to_phi) * sin(radians(to_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))
