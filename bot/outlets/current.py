"""What the town says to everybody now, as every way out that is fetched takes it: live, out, not ended."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.service import Service
from channels import rendering
from channels.channel import Announcement
from content.clock import today_jst
from content.notices import chains, searching
from content.notices.chosen import read_rules
from content.notices.notices import Notice
from content.notices.publicity import is_listed
from content.notices.searching import for_everybody
from content.notices.states import NoticeKind
from content.town import Town
from scheduler.town_context import announcement

# How a title says that the town has spoken again since.
MARKS = {NoticeKind.CORRECTION: "【訂正あり】", NoticeKind.WITHDRAWAL: "【取り消し済み】"}


@dataclass(frozen=True, slots=True)
class Current:
    """`since` is what became of it: corrected, withdrawn, or None; `changed` when (ms), else when it went out."""

    notice: Notice
    announced: Announcement
    since: NoticeKind | None
    changed: int

    @property
    def url(self) -> str:
        return self.announced.url

    @property
    def sent(self) -> int:
        return self.announced.published_at

    @property
    def is_withdrawn(self) -> bool:
        return self.since == NoticeKind.WITHDRAWAL

    def title(self, language: str = "ja") -> str:
        mark = MARKS[self.since] if self.since else ""
        return mark + rendering.heading(self.announced, language)


async def current_notices(
    service: Service, connection: AsyncConnection, *, category: str = "", limit: int
) -> list[Current]:
    """The newest first, of one category or of all. Who reads one that was merged or split reads what stands for it."""
    now = service.database.now()
    seen = service.town.reach("category", category, today_jst(now)) if category else None
    found = await searching.search(connection, for_everybody(), limit=limit, seen=seen)
    return await as_current(
        service, connection, [item for item in found if is_listed(service.town, item, now)]
    )


async def as_current(service: Service, connection: AsyncConnection, found: list[Notice]) -> list[Current]:
    again = await chains.spoken_again(connection, [item.id for item in found])
    return [_current(service, item, again.get(item.id, [])) for item in found]


def _current(service: Service, item: Notice, again: list[tuple[NoticeKind, int]]) -> Current:
    announced = announcement(service.context, item)
    kinds = [kind for kind, _ in again]
    withdrawn = NoticeKind.WITHDRAWAL if NoticeKind.WITHDRAWAL in kinds else None
    return Current(
        notice=item,
        announced=announced,
        since=withdrawn or (kinds[-1] if kinds else None),
        changed=max([announced.published_at, *(at for _, at in again)]),
    )


def areas_of(town: Town, found: Notice) -> list[str]:
    """The districts to which its target was narrowed; none is the whole town."""
    rules = read_rules(found.aim.key) or ()
    return [key for rule in rules if rule.field == "area" for key in rule.any_of if key in town.area]
