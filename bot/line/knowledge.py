"""What the chat can tell of the town: sites, questions, calendars, notices. Read once for a round of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.service import Service
from content.clock import now_ms
from content.notices import faq, shelters
from content.notices.calendars import WordCalendar
from content.notices.faq import FaqEntry
from content.notices.notices import Notice
from content.notices.recent_notices import listed
from content.notices.records import RecordKind, all_records
from content.notices.shelters import Opening, Shelter

# The part of its name by which the calendar of the doctors on duty is known.
DOCTORS = "当番医"
MOST_LISTED = 100
KINDS = (RecordKind.SHELTER, RecordKind.FAQ, RecordKind.CALENDAR)


@dataclass(frozen=True, slots=True)
class TownKnowledge:
    """`questions` are in the order in which they are asked most; `notices` the newest first."""

    shelters: Sequence[Shelter] = ()
    openings: Mapping[str, Opening] = field(default_factory=dict)
    questions: Sequence[FaqEntry] = ()
    doctors: Sequence[WordCalendar] = ()
    notices: Sequence[Notice] = ()
    notice_url: Callable[[str], str] = str
    # Where somebody adds the account as a friend, and the picture of it; "" when LINE has not told.
    friend_link: str = ""
    friend_picture: str = ""
    # What opens the page of settings inside LINE.
    settings_link: str = ""


async def read_knowledge(service: Service, friend_link: str, friend_picture: str) -> TownKnowledge:
    async with service.database.read() as connection:
        records = [item for kind in KINDS for item in await all_records(connection, kind)]
        found = [item.content for item in records if item.content is not None and not item.content.closed]
        return TownKnowledge(
            shelters=[item for item in found if isinstance(item, Shelter)],
            openings=await shelters.openings(connection, now_ms()),
            questions=faq.by_demand(
                [item for item in found if isinstance(item, FaqEntry)], await faq.asked(connection)
            ),
            doctors=[item for item in found if isinstance(item, WordCalendar) and DOCTORS in item.name],
            notices=await listed(connection, service.town, MOST_LISTED, now_ms()),
            notice_url=service.context.notice_url,
            friend_link=friend_link,
            friend_picture=friend_picture,
            settings_link=service.settings.liff.link,
        )


def days_on_duty(calendar: WordCalendar, today: date) -> tuple[str | None, str | None]:
    """Today when it stands in the calendar, and the next day after it that does."""
    shown = today.isoformat()
    coming = sorted(day for day in calendar.days if day > shown)
    return (shown if shown in calendar.days else None), (coming[0] if coming else None)
