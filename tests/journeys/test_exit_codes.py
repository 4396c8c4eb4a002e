"""What `kairanban notice post --wait` tells a script by its exit code."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import select, update

from content.database import Database
from content.notices.notices import notice
from content.register.subscribers import subscriber
from sandbox.mail.server import SmtpSandbox
from tests.factories import SHIBATA
from tests.journeys.deployment import Deployment, deployed, until

pytestmark = pytest.mark.slow

POST = (
    "notice",
    "post",
    "--title",
    "避難指示",
    "--body",
    "高台へ避難してください",
    "--channel",
    "mail",
    "--wait",
    # The same words are sent several times in one test.
    *("--accept", "repeated"),
)


MAIL_ACCOUNT = '[[accounts]]\nkey = "mail"\nchannel = "mail"\n'


async def prepared(town: Deployment, mail: int) -> SmtpSandbox:
    """A town with so many registrations by mail, and a mail server for them."""
    smtp = SmtpSandbox()
    port = await smtp.start()
    town.environment["KAIRANBAN_LINE__API_BASE"] = "http://127.0.0.1:1"
    town.environment["KAIRANBAN_MAIL__SMTP_URL"] = f"smtp://127.0.0.1:{port}"
    await town.found(mail=(f"m{number}@example.jp" for number in range(mail)))
    return smtp


async def test_all_accepted_is_0_and_some_refused_is_3(tmp_path: Path) -> None:
    async with deployed(tmp_path) as town:
        smtp = await prepared(town, 3)
        try:
            await town.serve()
            code, out, err = await town.run(*POST, "--category", "saigai", "--json")
            assert (code, json.loads(out)["state"]) == (0, "finished"), err
            smtp.faults.refuse = {"m1@example.jp": "550 5.1.1 no such user"}
            code, out, err = await town.run(*POST, "--category", "saigai", "--json")
            shown = json.loads(out)
            assert (code, shown["state"]) == (3, "partly"), err
            assert shown["reasons"] == [{"channel": "mail", "reason": "mailbox_unknown", "number": 1}]
        finally:
            await smtp.stop()


async def test_nobody_matched_is_4_and_nothing_is_stored(tmp_path: Path) -> None:
    async with deployed(tmp_path) as town:
        smtp = await prepared(town, 2)
        await smtp.stop()
        code, out, err = await town.run(*POST, "--category", "kosodate", "--json")
        assert (code, out) == (4, "")
        assert "この宛先に当てはまる登録はありません。何も送りませんでした。" in err
        code, _, err = await town.run("notice", "show", "1")
        assert code == 1 and "お知らせ 1 はありません" in err


async def test_when_all_have_left_before_it_goes_out_it_is_4_and_the_state_says_nobody(
    tmp_path: Path,
) -> None:
    async with deployed(tmp_path) as town:
        smtp = await prepared(town, 2)
        database = Database(town.environment["KAIRANBAN_DATABASE_URL"])
        try:
            posted = asyncio.create_task(town.run(*POST, "--category", "saigai", "--json"))
            await until(lambda: _is_approved(database), "the notice to be approved")
            async with database.write() as connection:
                await connection.execute(update(subscriber).values(state="left"))
            await town.serve()
            code, out, err = await posted
            assert (code, json.loads(out)["state"]) == (4, "nobody"), err
        finally:
            await database.close()
            await smtp.stop()


async def test_running_out_of_time_is_5_and_says_what_is_waited_for(tmp_path: Path) -> None:
    async with deployed(tmp_path) as town:
        smtp = await prepared(town, 2)
        await smtp.stop()
        command = (*POST, "--category", "saigai", "--timeout", "0.5", "--json")
        code, out, err = await town.run(*command)
        assert (code, json.loads(out)["state"]) == (5, "scheduled")
        assert "まだ配信が始まっていません。`kairanban serve` が動いているか確かめてください。" in err
        await town.serve()
        code, out, err = await town.run(*command[:-2], "3", "--json")
        assert (code, json.loads(out)["channels"]["mail"]["open"]) == (5, 2), err
        assert "メール 2件が未送信です: 相手のサーバーに接続できません。" in err


async def test_an_account_that_left_the_profile_is_named_with_the_command_that_ends_it(
    tmp_path: Path,
) -> None:
    async with deployed(tmp_path) as town:
        smtp = await prepared(town, 2)
        await smtp.stop()
        first = await town.serve()
        code, out, _ = await town.run(*POST, "--category", "saigai", "--timeout", "3", "--json")
        notice_id = str(json.loads(out)["id"])
        assert code == 5
        await first.end()
        profile = tmp_path / "town.toml"
        without_mail = SHIBATA.read_text(encoding="utf-8").replace(MAIL_ACCOUNT, "")
        profile.write_text(without_mail, encoding="utf-8")
        town.environment["KAIRANBAN_TOWN"] = str(profile)
        await town.serve()
        code, out, err = await town.run("notice", "show", notice_id)
        assert "アカウント「mail」" in err and "kairanban notice give-up" in err
        code, _, err = await town.run("notice", "give-up", notice_id)
        assert code == 0, err
        shown = await town.finished(int(notice_id))
        assert (shown["state"], shown["channels"]["mail"]["refused"]) == ("partly", 2)
        assert shown["reasons"] == [{"channel": "mail", "reason": "given_up", "number": 2}]
        code, _, err = await town.run("notice", "give-up", notice_id)
        assert code == 1 and "止まっている配信はありません" in err


async def _is_approved(database: Database) -> bool:
    async with database.read() as connection:
        return bool(await connection.scalar(select(notice.c.id).where(notice.c.state == "approved")))
