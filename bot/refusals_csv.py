"""The registrations that a notice did not reach, as a table for spreadsheets: numbers, never an address."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

from channels.reasons import find_reason
from content.clock import iso
from content.database import Database
from content.ledger.refused import Refused, next_refused
from content.ledger.states import Outcome
from content.register.csv_cells import harmless
from scheduler.words import CHANNEL_NAMES

TOGETHER = 5000
COLUMNS = ("登録番号", "配信手段", "結果", "理由", "日時")
# Excel takes UTF-8 for what it is by its mark.
MARK = "\ufeff"
OUTCOME_WORDS = {Outcome.REFUSED: "不達", Outcome.UNKNOWN: "不明"}


async def refusals_csv(
    database: Database, notice_id: int, *, channel: str = "", reason: str = ""
) -> AsyncIterator[str]:
    """Part by part, of one channel and for one reason where these are given."""
    yield MARK + _lines([COLUMNS])
    after = (0, 0)
    while True:
        async with database.read() as connection:
            found = await next_refused(
                connection, notice_id, channel=channel, reason=reason, after=after, most=TOGETHER
            )
        if not found:
            return
        yield _lines([_cells(item) for item in found])
        after = found[-1].place


def _cells(item: Refused) -> tuple[str, ...]:
    return (
        str(item.subscriber_id),
        CHANNEL_NAMES.get(item.channel, item.channel),
        OUTCOME_WORDS[item.outcome],
        find_reason(item.reason).what,
        iso(item.at) or "",
    )


def _lines(rows: list[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(map(harmless, row) for row in rows)
    return text.getvalue()
