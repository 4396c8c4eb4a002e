"""Who has read a notice, got it, or not, by number: on screen, on paper to call down, and as a table.

A notice to groups has a list for each of them; a registration that belongs to none any more stands by itself.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.words import channel_words, reason_words
from bot.refusals_csv import MARK
from content.clock import DAY, iso, now_ms
from content.ledger.reached import is_forgotten
from content.ledger.reading import MOST, Reader, Standing, readers
from content.notices.chosen import read_rules
from content.notices.notices import Notice
from content.notices.states import TargetKind
from content.register.csv_cells import harmless
from content.register.memberships import members_of
from content.town import Town
from scheduler import notice_service

WORDS = {
    Standing.READ: "読みました",
    Standing.SENT: "届いたはず(まだ「読みました」なし)",
    Standing.REFUSED: "不達",
    Standing.UNKNOWN: "不明",
    Standing.OPEN: "まだ送っていない",
}
# In the order in which somebody would call them.
NOT_READ = (Standing.REFUSED, Standing.UNKNOWN, Standing.OPEN, Standing.SENT)
COLUMNS = ("グループ", "登録番号", "コードを渡した先", "配信手段", "結果", "理由", "読んだ日時")


@dataclass(frozen=True, slots=True)
class Circle:
    """The recipients of one group; `name` "" where there is none. `codes`: to whom the invitation codes of these
    members were handed, by number."""

    name: str
    readers: list[Reader]
    codes: dict[int, str] = field(default_factory=dict)

    @property
    def left(self) -> list[Reader]:
        """Those whom nobody knows to have read it, whoever was not reached first."""
        waiting = [item for item in self.readers if item.standing in NOT_READ]
        return sorted(waiting, key=lambda item: (NOT_READ.index(item.standing), item.subscriber_id))

    @property
    def read(self) -> list[Reader]:
        return [item for item in self.readers if item.standing == Standing.READ]


async def show_reading(staff_request: StaffRequest) -> web.Response:
    service, notice_id = staff_request.service, staff_request.notice_id
    found = await notice_service.find(service.context, notice_id)
    async with service.database.read() as connection:
        everybody = await readers(connection, notice_id)
        circles = await _circles(connection, service.town, found, everybody or [])
        forgotten = await is_forgotten(connection, notice_id)
    return staff_request.page(
        "console/reading.html",
        notice=found,
        circles=circles,
        counts=Counter(item.standing for item in everybody or []),
        standings=[(item, WORDS[item]) for item in Standing],
        words=WORDS,
        why=lambda item: reason_words(item.reason)[0] if item.reason else "",
        channel_name=channel_words,
        too_many=everybody is None,
        most=MOST,
        forgotten=forgotten,
        kept_days=service.context.keep_recipients // DAY,
        now=now_ms(),
    )


async def download(staff_request: StaffRequest) -> web.Response:
    service, notice_id = staff_request.service, staff_request.notice_id
    found = await notice_service.find(service.context, notice_id)
    async with service.database.read() as connection:
        everybody = await readers(connection, notice_id)
        if everybody is None:
            raise web.HTTPNotFound
        circles = await _circles(connection, service.town, found, everybody)
    text = io.StringIO()
    rows = [_cells(circle, item) for circle in circles for item in [*circle.left, *circle.read]]
    csv.writer(text).writerows(map(harmless, row) for row in [COLUMNS, *rows])
    return web.Response(
        body=(MARK + text.getvalue()).encode(),
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="yomimashita-{notice_id}.csv"',
        },
    )


async def _circles(
    connection: AsyncConnection, town: Town, notice: Notice, everybody: list[Reader]
) -> list[Circle]:
    """By group; without groups all together. Whoever belongs to two of them stands in both."""
    circles, placed = [], set[int]()
    for key in _groups(town, notice):
        codes = {member.number: member.code for member in await members_of(connection, key)}
        placed |= codes.keys()
        name = town.group[key].name() if key in town.group else key
        mine = [item for item in everybody if item.subscriber_id in codes]
        circles.append(Circle(name, mine, codes))
    rest = [item for item in everybody if item.subscriber_id not in placed]
    if rest:
        circles.append(Circle("今はグループに入っていない登録" if circles else "", rest))
    return circles


def _groups(town: Town, notice: Notice) -> list[str]:
    """The groups that its target names."""
    target = notice.aim
    if target.kind == TargetKind.GROUP:
        return [target.key]
    if target.kind != TargetKind.SEGMENT:
        return []
    rules = read_rules(target.key) or (town.segment[target.key].rules if target.key in town.segment else ())
    return list(dict.fromkeys(key for rule in rules if rule.field == "group" for key in rule.any_of))


def _cells(circle: Circle, item: Reader) -> tuple[str, ...]:
    return (
        circle.name,
        str(item.subscriber_id),
        circle.codes.get(item.subscriber_id, ""),
        channel_words(item.channel),
        WORDS[item.standing],
        reason_words(item.reason)[0] if item.reason else "",
        iso(item.read_at) or "",
    )
