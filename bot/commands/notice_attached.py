"""The options by which pictures, a place and 「読みました」 are attached to a notice on the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.common import USAGE, fail
from bot.commands.notice_options import read_moment
from bot.service import Service
from content.clock import now_ms
from content.notices import pictures
from content.notices.attachments import (
    MOST_PICTURES,
    NO_POINT,
    Attachments,
    Event,
    Picture,
    Place,
    read_point,
)
from content.notices.notices import NoticeSpec
from content.notices.picture_files import FILE_LIMIT, BadPicture, clean_picture
from content.notices.pictures import CleanPicture

Pictures = Annotated[
    list[Path] | None,
    typer.Option(
        "--picture",
        help=f"JPEG or PNG, with an --alt for each; up to {MOST_PICTURES}.",
        exists=True,
        dir_okay=False,
    ),
]
Alts = Annotated[
    list[str] | None, typer.Option("--alt", help="What is to be seen on the picture, in Japanese; repeat.")
]
PlaceLabel = Annotated[str, typer.Option("--place", help="Name of the place; needs --point.")]
Address = Annotated[str, typer.Option(help="Address of the place.")]
Point = Annotated[str, typer.Option(help="Latitude and longitude of the place: 38.0561,140.7653.")]

AskRead = Annotated[
    bool | None,
    typer.Option("--ask-read/--no-ask-read", help="A button 「読みました」; without a word only for groups."),
]


Starts = Annotated[str, typer.Option(help="When the event begins, ISO 8601: it is put into calendars.")]
Ends = Annotated[str, typer.Option(help="When the event ends, ISO 8601.")]


def read_event(starts: str, ends: str) -> Event | None:
    first, last = read_moment("--starts", starts), read_moment("--ends", ends)
    if first is None:
        if ends:
            fail("--ends needs --starts, when the event begins.", USAGE)
        return None
    return Event(first, last)


def read_place(label: str, address: str, point: str) -> Place | None:
    if not (label or address or point):
        return None
    if not (label and point):
        fail(
            "--place and --point belong together: a place takes its name and its latitude and longitude.",
            USAGE,
        )
    found = read_point(point)
    if found is None:
        fail(f"--point: {NO_POINT}", USAGE)
    return Place(label.strip(), address.strip(), *found)


def read_pictures(files: list[Path], alts: list[str]) -> list[tuple[CleanPicture, str]]:
    """Ends the command with the file that cannot be used and why."""
    if len(files) != len(alts):
        fail(f"--alt: {len(files)} pictures take {len(files)} descriptions, not {len(alts)}.", USAGE)
    found = []
    for file, alt in zip(files, alts, strict=True):
        try:
            with file.open("rb") as opened:
                # Never more of it than is judged.
                found.append((clean_picture(opened.read(FILE_LIMIT + 1)), alt.strip()))
        except OSError as error:
            fail(f"--picture: {file} cannot be read: {error.strerror}", USAGE)
        except BadPicture as error:
            fail(f"--picture: {file}: {error}", USAGE)
    return found


async def attach(
    service: Service,
    spec: NoticeSpec,
    found: list[tuple[CleanPicture, str]],
    place: Place | None,
    asks_read: bool | None,
    event: Event | None,
) -> NoticeSpec:
    """The notice with what is attached to it; the pictures are kept."""
    names = []
    if found:
        async with service.database.write() as connection:
            names = [await pictures.keep(connection, clean, at=now_ms()) for clean, _ in found]
    attached = tuple(Picture(name, {"ja": alt}) for name, (_, alt) in zip(names, found, strict=True))
    return replace(spec, attached=Attachments(attached, place, asks_read, event))
