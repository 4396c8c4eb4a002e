"""Members of groups from a list: added and taken out, all of it or nothing.

Columns `group,action,channel,address` and, if wanted, `until`: the key of the group, add or remove, where the address
is registered, and the last day (YYYY-MM-DD) of whoever is added. UTF-8, with or without a byte order mark, or CP932.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.register import addresses, subscribers
from content.register.csv_files import decoded
from content.register.memberships import add_member, remove_member
from content.register.states import Route, SubscriberState
from content.town import Mode, Town

COLUMNS = ("group", "action", "channel", "address")
ACTIONS = ("add", "remove")
MOST_ROWS = 10_000
MOST_PROBLEMS = 20


class MembersRefused(ValueError):
    """Nothing was changed; each line says where in the file and what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    line: int
    group: str
    adds: bool
    account: str
    channel: str
    address: str = field(repr=False)
    until: date | None


def decode(content: bytes) -> str:
    """Raises MembersRefused."""
    text = decoded(content)
    if text is not None:
        return text
    raise MembersRefused("文字を読めません。UTF-8かCP932(Excelの「CSV(コンマ区切り)」)で保存してください")


def read(text: str, town: Town, groups: Collection[str]) -> list[Wanted]:
    """Raises MembersRefused."""
    rows = csv.DictReader(io.StringIO(text))
    if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
        raise MembersRefused(f"1行目: {'、'.join(missing)} の列がありません")
    found: list[Wanted] = []
    problems: list[str] = []
    for row in rows:
        if len(found) >= MOST_ROWS:
            raise MembersRefused(f"{MOST_ROWS:,}行を超えています。分けてください")
        try:
            found.append(_row(row, rows.line_num, town, groups))
        except ValueError as error:
            problems.append(f"{rows.line_num}行目: {error}")
    _refuse(problems)
    return found


async def change_members(
    connection: AsyncConnection, keys: Keys, wanted: Collection[Wanted], *, at: int
) -> tuple[int, int]:
    """How many were added and taken out; whoever is a member already, or none, stays so. Raises MembersRefused."""
    numbers: dict[int, int] = {}
    problems = []
    for item in wanted:
        number = await subscribers.find(connection, keys, item.account, item.channel, item.address)
        found = None if number is None else await subscribers.get(connection, number)
        if found is None or found.state != SubscriberState.ACTIVE:
            problems.append(
                f"{item.line}行目「address」: {item.channel} に登録がありません。先に登録してください"
            )
        else:
            numbers[item.line] = found.id
    _refuse(problems)
    added = removed = 0
    for item in wanted:
        who = numbers[item.line]
        if item.adds:
            added += await add_member(
                connection, item.group, who, until=item.until, route=Route.IMPORT, at=at
            )
        else:
            removed += await remove_member(connection, item.group, who, route=Route.IMPORT, at=at)
    return added, removed


def _row(row: Mapping[str, str | None], line: int, town: Town, groups: Collection[str]) -> Wanted:
    group, action, channel, address = ((row[name] or "").strip() for name in COLUMNS)
    until = (row.get("until") or "").strip()
    if group not in groups:
        raise ValueError(
            "「group」: そのグループはありません。キーは、グループの画面のアドレスの最後にあります"
        )
    if action not in ACTIONS:
        raise ValueError("「action」: add か remove を書いてください")
    fitting = town.accounts_for(channel, Mode.LIVE)
    if not fitting:
        raise ValueError("「channel」: この町に、その配信手段の本番のアカウントがありません")
    try:
        last = date.fromisoformat(until) if until else None
    except ValueError:
        raise ValueError("「until」: 2027-03-31 のような日を書くか、空にしてください") from None
    try:
        plain = addresses.normalise(channel, address)
    except addresses.BadAddress as error:
        raise ValueError(f"「address」: {error}") from None
    return Wanted(line, group, action == "add", fitting[0].key, channel, plain, last)


def _refuse(problems: list[str]) -> None:
    if problems:
        more = len(problems) - MOST_PROBLEMS
        told = problems[:MOST_PROBLEMS] + ([f"ほかに{more}件"] if more > 0 else [])
        raise MembersRefused("\n".join(told))
