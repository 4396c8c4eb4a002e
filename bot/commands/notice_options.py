"""The options by which a notice is written on the command line, for every command that takes one."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime
from inspect import Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from bot.commands.common import USAGE, fail
from bot.commands.every import EXAMPLES, read_rule
from content.clock import from_datetime
from content.notices.notices import NoticeSpec
from content.notices.recurrence import BadRecurrence, RecurrenceRule
from content.notices.segments import Target
from content.notices.states import TargetKind
from content.town import Mode, Urgency

# Without a time.
DAY_ALONE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

Category = Annotated[str, typer.Option(help="The category: its key or name.")]
Title = Annotated[str, typer.Option(help="Title in Japanese.")]
Body = Annotated[
    str,
    typer.Option(help="Body in Japanese; - reads standard input. Others see it in the list of processes."),
]
BodyFile = Annotated[
    Path | None,
    typer.Option("--body-file", help="File with the body, UTF-8.", exists=True, dir_okay=False),
]
Urgent = Annotated[bool, typer.Option("--urgent", help="Travels in the urgent lane.")]
ModeName = Annotated[str, typer.Option(help="live, drill or test.")]
SegmentKey = Annotated[str, typer.Option(help="Key of a segment.")]
GroupKey = Annotated[str, typer.Option(help="Key of a group.")]
Everyone = Annotated[bool, typer.Option("--everyone", help="Every active registration; asks for a yes.")]
Channels = Annotated[list[str] | None, typer.Option(help="Repeat for several; default: all.")]
At = Annotated[str, typer.Option(help="When, ISO 8601; without a zone Japan's time.")]
Expires = Annotated[
    str,
    typer.Option(help="Not sent from then on, and no longer listed, ISO 8601; or a day, with --until."),
]
Every = Annotated[str, typer.Option(help=f"Again and again: {EXAMPLES}.")]
First = Annotated[str, typer.Option("--from", help="First day of --every.")]
Until = Annotated[str, typer.Option(help="Last day of --every; of a single notice its last day, or its end.")]
Closures = Annotated[
    list[str] | None, typer.Option("--except", help="No sending: DATE, DATE~DATE or 12/29~1/3; repeat.")
]
OnHoliday = Annotated[str, typer.Option(help="send, skip, or the working day before or after.")]
Reason = Annotated[
    str, typer.Option(help="Why one person sends it alone, or outside the hours of the office.")
]
Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="CODE", help="Yes to a finding of the checks (docs/checks.md); repeat."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_spec(
    category: Category,
    title: Title,
    body: Body = "",
    body_file: BodyFile = None,
    urgent: Urgent = False,
    mode: ModeName = Mode.LIVE,
    segment: SegmentKey = "",
    group: GroupKey = "",
    everyone: Everyone = False,
    channel: Channels = None,
    at: At = "",
    expires: Expires = "",
    every: Every = "",
    first: First = "",
    until: Until = "",
    closures: Closures = None,
    on_holiday: OnHoliday = "send",
) -> NoticeSpec:
    """What the options ask for; ends the command when they cannot be read."""
    return NoticeSpec(
        category=category,
        urgency=Urgency.URGENT if urgent else Urgency.ROUTINE,
        texts={"ja": (title, read_body(body, body_file))},
        channels=tuple(channel or ()),
        mode=mode,
        target=_target(segment, group, everyone),
        at=read_moment("--at", at),
        expires=read_moment("--expires", read_end(expires, "" if every else until)),
        rule=read_repetition(every, first, until, closures or [], on_holiday),
    )


def takes_notice(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of `read_spec` before its own; its first parameter is the notice."""
    written = signature(read_spec).parameters
    own = list(signature(command).parameters.values())[1:]

    def run(**given: Any) -> None:
        spec = read_spec(**{name: given.pop(name) for name in written})
        command(spec, **given)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    hints = get_type_hints(read_spec, include_extras=True) | get_type_hints(command, include_extras=True)
    shown = [item.replace(annotation=hints[item.name]) for item in (*written.values(), *own)]
    run.__annotations__ = {item.name: item.annotation for item in shown}
    run.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    return run


def read_body(body: str, file: Path | None) -> str:
    """From the flag, a file or standard input: a command line is open to everybody on the machine."""
    if body and file:
        fail("--body and --body-file exclude each other; choose one.", USAGE)
    try:
        if file is not None:
            return file.read_text(encoding="utf-8-sig")
        return sys.stdin.buffer.read().decode("utf-8-sig") if body == "-" else body
    except UnicodeDecodeError:
        fail("The body is not UTF-8; save it in that encoding.", USAGE)


def read_repetition(
    every: str, first: str, until: str, closures: list[str], on_holiday: str
) -> RecurrenceRule | None:
    if not every:
        if first or closures:
            fail("--from and --except belong to --every; say how often with --every.", USAGE)
        return None
    try:
        return read_rule(every, first, until, closures, on_holiday)
    except BadRecurrence as error:
        fail(f"{error.field}: {error}", USAGE)


def read_moment(flag: str, at: str) -> int | None:
    if not at:
        return None
    try:
        return from_datetime(datetime.fromisoformat(at))
    except ValueError:
        fail(f"{flag}: '{at}' is no ISO 8601 time; write 2026-04-07T09:00", USAGE)


def read_end(expires: str, until: str) -> str:
    """Until when a single notice is public: a time, or a day that lasts until its last minute."""
    if expires and until:
        fail("--expires and --until say the same of a single notice; choose one.", USAGE)
    return f"{until}T23:59" if DAY_ALONE.fullmatch(until) else expires or until


def _target(segment: str, group: str, everyone: bool) -> Target:
    chosen = [
        name for name, given in (("segment", segment), ("group", group), ("everyone", everyone)) if given
    ]
    if len(chosen) > 1:
        fail(f"--{chosen[0]} and --{chosen[1]} exclude each other; choose one target.", USAGE)
    if segment:
        return Target(TargetKind.SEGMENT, segment)
    if group:
        return Target(TargetKind.GROUP, group)
    return Target(TargetKind.EVERYONE) if everyone else Target()
