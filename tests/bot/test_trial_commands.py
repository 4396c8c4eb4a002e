"""`notice try` and `selftest` on the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import Result

from content.database import Database
from content.keys import Keys, load_keys
from content.register import trial_addresses
from content.staff import audit, member_changes, members
from tests.factories import line_id, make_notice

Run = Callable[..., Result]


@pytest.fixture
def within(
    command_line: Run, tmp_path: Path
) -> Callable[[Callable[[AsyncConnection, Keys], Awaitable[int]]], int]:
    """Does something in the database of the command line, with its keys."""

    def do(work: Callable[[AsyncConnection, Keys], Awaitable[int]]) -> int:
        async def run() -> int:
            database = Database(f"sqlite:///{tmp_path / 'town.db'}")
            keys = load_keys(tmp_path / "secret.key")
            async with database.write() as connection:
                found = await work(connection, keys)
            await database.close()
            return found

        return asyncio.run(run())

    assert command_line("notice", "show", "1").exit_code == 1  # binds the database to its key
    return do


async def add_tanaka(connection: AsyncConnection, _: Keys) -> int:
    staff_id, _code = await member_changes.invite(connection, login="tanaka", role="editor", at=1)
    return staff_id


async def add_address(connection: AsyncConnection, keys: Keys) -> int:
    member = await members.find(connection, "tanaka")
    assert member is not None
    number = await trial_addresses.add(
        connection, keys, staff_id=member.id, account="line", channel="line", plain=line_id(1), at=1
    )
    await trial_addresses.set_seed(connection, number, since=1)
    return number


async def add_draft(connection: AsyncConnection, _: Keys) -> int:
    return await make_notice(connection, approved=False)


async def tried(connection: AsyncConnection, _: Keys) -> int:
    return len(await audit.entries(connection, action="notice.tried"))


def test_a_draft_is_tried_for_a_member_by_name(command_line: Run, within: Callable[..., int]) -> None:
    unknown = command_line("notice", "try", "1", "--to", "tanaka")
    assert (unknown.exit_code, "--to" in unknown.output) == (2, True)
    within(add_tanaka)
    missing = command_line("notice", "try", "1", "--to", "tanaka")
    assert (missing.exit_code, "お知らせ 1 はありません" in missing.output) == (1, True)
    notice_id = str(within(add_draft))
    lacking = command_line("notice", "try", notice_id, "--to", "tanaka")
    assert (lacking.exit_code, "試し送り先がありません" in lacking.output) == (2, True)
    within(add_address)
    wrong = command_line("notice", "try", notice_id, "--to", "tanaka", "--language", "ko")
    assert (wrong.exit_code, "言語を選び直して" in wrong.output) == (2, True)
    assert within(tried) == 0
    done = command_line("notice", "try", notice_id, "--to", "tanaka", "--json")
    assert done.exit_code == 0, done.output
    (trial,) = json.loads(done.stdout)["trials"]
    assert (trial["mode"], trial["state"]) == ("test", "scheduled")
    assert within(tried) == 1
    waiting = command_line("notice", "try", notice_id, "--to", "tanaka", "--wait", "--timeout", "0.1")
    assert waiting.exit_code == 5, "no service is running that would send it"


def test_a_test_to_residents_is_refused_with_the_way_out(command_line: Run) -> None:
    refused = command_line(
        *("notice", "post", "--category", "kosodate", "--title", "健診", "--body", "健診を行います。"),
        *("--mode", "test"),
    )
    assert (refused.exit_code, "自分に試し送り" in refused.output) == (2, True)


def test_a_self_test_is_begun_and_waited_for(command_line: Run, within: Callable[..., int]) -> None:
    nobody = command_line("selftest")
    assert (nobody.exit_code, "宛先がまだありません" in nobody.output) == (4, True)
    within(add_tanaka)
    within(add_address)
    begun = command_line("selftest", "--wait", "--timeout", "0.1", "--json")
    assert begun.exit_code == 5, "no service is running that would send it"
    found = json.loads(begun.stdout)
    assert (found["id"], found["passed"]) == (1, None)
    assert found["accounts"]["line"]["expected"] == 1
    again = command_line("selftest")
    assert (again.exit_code, "まだ続いています" in again.output) == (1, True)
