"""Notices of a fiscal year by category, department and channel: how many, to how many, what became of it, how fast."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from bot.breaks import breaks
from bot.service import Service
from content.clock import now_ms, today_jst
from content.figures.movements import Measure
from content.figures.sent import SentDelivery, sent_in_year
from content.notices.states import NoticeKind
from content.staff.rights import OFFICE, Department, departments
from content.town import Town, Urgency
from scheduler.words import CHANNEL_NAMES

CHOICES = {"channel": "配信手段", "category": "分野", "department": "課"}
JAPANESE = {
    "fiscal_year": "年度",
    "measure": "区分",
    "key": "キー",
    "name": "名称",
    "notices": "お知らせ",
    "follow_ups": "うち訂正・取消",
    "urgent": "うち緊急",
    "planned": "宛先",
    "accepted": "受付",
    "refused": "不達",
    "unknown": "不明",
    "open": "残り",
    "median_seconds": "緊急の最後の受付まで(中央値・秒)",
    "longest_seconds": "緊急の最後の受付まで(最長・秒)",
    "town_code": "団体コード",
    "made_at": "作成日時",
    "definition": "定義",
}
DEFINITION = (
    "年度のうちに送り始めた本番のお知らせ。訓練、試験、自分への試し送りは含みません。訂正と取り消しも1件と数えます。宛先は登録の数(人数では"
    "ありません)で、1件のお知らせが複数の配信手段へ出ると、それぞれに数えます。受付は送り先のサービスが引き受けた数で、読まれた数では"
    "ありません。課は、そのお知らせの分野を受け持つ課です(複数の課が受け持つ分野は、それぞれに数えます)。"
)
NO_DEPARTMENT = "受け持つ課のない分野"


@dataclass(frozen=True, slots=True)
class SentRow:
    """`notices` are distinct; seconds are those of urgent notices, None without any that arrived."""

    measure: str
    key: str
    name: str
    notices: int
    follow_ups: int
    urgent: int
    planned: int
    accepted: int
    refused: int
    unknown: int
    open: int
    median_seconds: float | None
    longest_seconds: float | None


@dataclass(frozen=True, slots=True)
class SentReport:
    """`whole` over everything; `rows` by measure in the order of CHOICES."""

    town: Town
    year: int
    made_at: int
    whole: SentRow
    rows: tuple[SentRow, ...]

    @property
    def definition(self) -> str:
        """With what became of categories until the end of the year."""
        changed = breaks(self.town, Measure.CATEGORY, min(date(self.year + 1, 3, 31), today_jst()))
        said = "、".join(item.sentence for item in changed)
        return f"{DEFINITION}変わる前に出したお知らせは、前の分野に数えます({said})。" if said else DEFINITION

    def of(self, measure: str) -> list[SentRow]:
        return [row for row in self.rows if row.measure == measure]


async def sent_report(service: Service, year: int) -> SentReport:
    async with service.database.read() as connection:
        sent = await sent_in_year(connection, year)
        known = await departments(connection)
    town = service.town
    today = today_jst()
    owners = {
        item.key: _owners(known, (item.key, *town.heirs("category", item.key, today)))
        for item in town.categories
    }
    names: dict[str, dict[str, str]] = {
        "channel": dict(CHANNEL_NAMES),
        "category": {item.key: item.name() for item in town.categories},
        "department": {**{item.key: item.name for item in known}, "": NO_DEPARTMENT},
    }
    keys: dict[str, Callable[[SentDelivery], Iterable[str]]] = {
        "channel": lambda item: (item.channel,),
        "category": lambda item: (item.category,),
        "department": lambda item: owners.get(item.category, ("",)),
    }
    rows = [row for measure, keys_of in keys.items() for row in _rows(measure, keys_of, names[measure], sent)]
    return SentReport(town, year, now_ms(), _row("", "", "全体", sent), tuple(rows))


def file_rows(report: SentReport) -> list[dict[str, Any]]:
    """Rows that can be understood alone."""
    same = {
        "town_code": report.town.code,
        "made_at": today_jst(report.made_at).isoformat(),
        "definition": report.definition,
    }
    return [
        {
            "fiscal_year": report.year,
            **{name: getattr(row, name) for name in SentRow.__slots__},
            "measure": CHOICES.get(row.measure, "全体"),
            **same,
        }
        for row in (report.whole, *report.rows)
    ]


def to_json(report: SentReport) -> dict[str, Any]:
    return {
        "town_code": report.town.code,
        "fiscal_year": report.year,
        "made_at": today_jst(report.made_at).isoformat(),
        "definition": report.definition,
        "rows": [
            {name: getattr(row, name) for name in SentRow.__slots__} for row in (report.whole, *report.rows)
        ],
    }


def about(report: SentReport) -> list[tuple[str, str]]:
    """What must be known to read the file: (name, words)."""
    return [
        ("団体", f"{report.town.prefecture}{report.town.name}"),
        ("団体コード", report.town.code),
        ("年度", f"{report.year}年度"),
        ("作成日", today_jst(report.made_at).isoformat()),
        ("定義", report.definition),
        ("空欄", "緊急のお知らせで受け付けられたものがない行"),
    ]


def _owners(known: list[Department], categories: Iterable[str]) -> tuple[str, ...]:
    """Of the first of these that any department has: what was merged belongs to whoever has what stands for it."""
    for category in categories:
        found = [item.key for item in known if item.key != OFFICE and category in (item.categories or ())]
        if found:
            return tuple(found)
    return ("",)


def _rows(
    measure: str,
    keys_of: Callable[[SentDelivery], Iterable[str]],
    names: dict[str, str],
    sent: list[SentDelivery],
) -> list[SentRow]:
    """In the town's order; what has left the profile since stands last, under its key."""
    by_key: dict[str, list[SentDelivery]] = {}
    for item in sent:
        for key in keys_of(item):
            by_key.setdefault(key, []).append(item)
    order = [*(key for key in names if key in by_key), *sorted(set(by_key) - set(names))]
    return [_row(measure, key, names.get(key, key), by_key[key]) for key in order]


def _row(measure: str, key: str, name: str, sent: list[SentDelivery]) -> SentRow:
    urgent = [item for item in sent if item.urgency == Urgency.URGENT]
    # A notice has arrived when the last of its recipients has, on whichever channel.
    slowest: dict[int, float] = {}
    for item in urgent:
        if item.seconds is not None:
            slowest[item.notice_id] = max(slowest.get(item.notice_id, 0.0), item.seconds)
    return SentRow(
        measure=measure,
        key=key,
        name=name,
        notices=len({item.notice_id for item in sent}),
        follow_ups=len({item.notice_id for item in sent if item.kind != NoticeKind.ORIGINAL}),
        urgent=len({item.notice_id for item in urgent}),
        planned=sum(item.planned for item in sent),
        accepted=sum(item.accepted for item in sent),
        refused=sum(item.refused for item in sent),
        unknown=sum(item.unknown for item in sent),
        open=sum(item.open for item in sent),
        median_seconds=round(median(slowest.values()), 1) if slowest else None,
        longest_seconds=round(max(slowest.values()), 1) if slowest else None,
    )
