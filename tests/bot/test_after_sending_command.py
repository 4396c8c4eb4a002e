"""`notice correct`, `withdraw`, `stop`, `retry` and `refusals`."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from channels.reasons import Reason
from content.clock import MINUTE, now_ms
from content.database import Database
from content.ledger.batches import claim, record_part
from content.ledger.deferring import RefusedRecipient
from content.register.subscribers_csv import COLUMNS
from tests.factories import PARENT, line_id, make_delivery, make_notice

Run = Callable[..., Result]


@pytest.mark.parametrize(
    "words",
    [
        ("correct", "99", "--title", "題", "--body", "本文"),
        ("withdraw", "99"),
        ("stop", "99"),
        ("refusals", "99"),
    ],
)
def test_a_notice_that_there_is_not_is_named(command_line: Run, words: tuple[str, ...]) -> None:
    result = command_line("notice", *words)
    assert result.exit_code == 1 and "99" in result.output


def test_refusals_are_told_by_reason_and_as_numbers(command_line: Run, tmp_path: Path) -> None:
    register = tmp_path / "people.csv"
    row = f"line,{PARENT.address},kosodate,,ja,,,"
    register.write_text(",".join(COLUMNS) + f"\n{row}\n", encoding="utf-8")
    assert command_line("subscribers", "import", str(register)).exit_code == 0
    posted = command_line(
        "notice", "post", "--category", "kosodate", "--title", "健診", "--body", "健診を行います。", "--json"
    )
    assert posted.exit_code == 0, posted.output
    number = str(json.loads(posted.stdout)["id"])
    empty = command_line("notice", "refusals", number, "--json")
    assert json.loads(empty.stdout) == {"registrations_known": True, "reasons": []}
    file = command_line("notice", "refusals", number, "--csv")
    assert file.stdout.splitlines() == ["\ufeff登録番号,配信手段,結果,理由,日時"]
    unknown = command_line("notice", "refusals", number, "--reason", "nonsense")
    assert unknown.exit_code == 2 and "--reason" in unknown.output
    assert command_line("notice", "refusals", number, "--csv", "--json").exit_code == 2


TITLE, BODY = "乳幼児健診のお知らせ", "4月の乳幼児健診は次のとおりです。"


def went_out(run: Run, folder: Path, *, refused: int = 0, title: str = TITLE) -> str:
    """A notice that three were sent, of whom so many were refused for a while; its number."""
    register = folder / "people.csv"
    rows = "".join(f"line,{line_id(number)},kosodate,,ja,,,\n" for number in range(1, 4))
    register.write_text(",".join(COLUMNS) + "\n" + rows, encoding="utf-8")
    assert run("subscribers", "import", str(register)).exit_code == 0
    return str(asyncio.run(_sent(folder / "town.db", refused, title)))


async def _sent(path: Path, refused: int, title: str) -> int:
    database, now = Database(f"sqlite:///{path}"), now_ms()
    async with database.write() as connection:
        notice_id = await make_notice(connection, texts={"ja": (title, BODY)}, at=now)
        await make_delivery(connection, [[1, 2, 3]], notice_id=notice_id, at=now)
        (claimed,) = await connection.run_sync(
            claim, account="line", lane="routine", owner="t", now=now, lease=MINUTE
        )
        await connection.run_sync(
            record_part,
            claimed,
            since=0,
            position=3,
            accepted=3 - refused,
            refused=[RefusedRecipient(one, Reason.SERVER_ERROR) for one in (1, 2, 3)[:refused]],
            now=now,
            lease=MINUTE,
        )
    await database.close()
    return notice_id


def ask(folder: Path, question: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "town.db") as database:
        return list(database.execute(question))


def test_a_correction_is_a_notice_of_its_own_that_says_which_it_corrects(
    command_line: Run, tmp_path: Path
) -> None:
    number = went_out(command_line, tmp_path)
    done = command_line("notice", "correct", number, "--title", "健診の訂正", "--body", BODY, "--json")
    assert done.exit_code == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["title"], shown["state"]) == ("健診の訂正", "scheduled")
    assert f"お知らせ {number} の訂正を、お知らせ {shown['id']} として受け付けました" in done.stderr
    rows = ask(tmp_path, f"SELECT kind, corrects, state FROM notice WHERE id = {shown['id']}")
    assert rows == [("correction", int(number), "approved")]


def test_what_the_checks_ask_about_a_correction_takes_its_yes(command_line: Run, tmp_path: Path) -> None:
    number = went_out(command_line, tmp_path)
    words = ("notice", "correct", number, "--title", "訂正", "--body", "場所は〇〇に変わりました。")
    refused = command_line(*words)
    assert refused.exit_code == 2 and "--accept placeholder" in refused.stderr
    assert ask(tmp_path, "SELECT count(*) FROM notice") == [(1,)]
    assert command_line(*words, "--accept", "placeholder").exit_code == 0
    wrong = command_line(*words, "--accept", "nonsense")
    assert wrong.exit_code == 2 and "nonsense" in wrong.stderr


def test_a_correction_of_what_was_not_sent_says_what_to_do_instead(command_line: Run, tmp_path: Path) -> None:
    went_out(command_line, tmp_path)
    posted = command_line(
        *("notice", "post", "--category", "kosodate", "--title", "遊びの広場", "--body", "広場を開きます。"),
        *("--at", "2099-04-07T10:00", "--accept", "year-far", "--channel", "line", "--json"),
    )
    assert posted.exit_code == 0, posted.stderr
    number = str(json.loads(posted.stdout)["id"])
    for act in (("correct", number, "--title", "題", "--body", BODY), ("withdraw", number)):
        refused = command_line("notice", *act)
        assert refused.exit_code == 2 and "まだ送っていません" in refused.stderr


def test_a_notice_is_withdrawn_once_and_its_second_withdrawal_says_so(
    command_line: Run, tmp_path: Path
) -> None:
    number = went_out(command_line, tmp_path)
    assert command_line("notice", "withdraw", number).exit_code == 0
    again = command_line("notice", "withdraw", number)
    assert again.exit_code == 2 and "すでに取り消しを知らせています" in again.stderr


def test_those_refused_for_a_while_are_sent_to_again_and_nobody_else(
    command_line: Run, tmp_path: Path
) -> None:
    number = went_out(command_line, tmp_path, refused=2)
    done = command_line("notice", "retry", number, "--json")
    assert done.exit_code == 0, done.stderr
    assert "2件を送り直します" in done.stderr
    line = json.loads(done.stdout)["channels"]["line"]
    assert (line["planned"], line["accepted"], line["open"]) == (3, 1, 2)
    again = command_line("notice", "retry", number)
    assert again.exit_code == 2 and "送り直せる宛先はありません" in again.stderr


def test_after_a_correction_the_old_words_are_not_sent_again(command_line: Run, tmp_path: Path) -> None:
    number = went_out(command_line, tmp_path, refused=1)
    assert command_line("notice", "correct", number, "--title", "訂正", "--body", BODY).exit_code == 0
    refused = command_line("notice", "retry", number)
    assert refused.exit_code == 2 and "元の文面では送り直しません" in refused.stderr
    assert command_line("notice", "retry", "99").exit_code == 1
