"""One line a day leaves the house and proves later that the trail is what it was; once a day, and again when it failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot.audit_keeping import line_keeper
from bot.service import Service
from content.clock import DAY, now_ms, today_jst
from content.keys import Keys
from content.staff import audit, audit_chain, audit_line
from content.staff.audit_chain import Broken
from sandbox.mail.server import SmtpSandbox
from scheduler.audit_lines import look
from tests.bot.test_subscribers_command import Run


async def write(service: Service, number: int = 3) -> None:
    async with service.database.write() as connection:
        for one in range(number):
            await audit.record(
                connection, at=now_ms(), actor="tanaka", action="notice.approved", subject=f"notice {one}"
            )


async def test_each_day_has_one_line_in_the_file_and_in_the_mailbox(service: Service, tmp_path: Path) -> None:
    mail = SmtpSandbox()
    file = tmp_path / "kept"
    settings = service.settings.model_copy(deep=True)
    settings.mail.smtp_url = SecretStr(f"smtp://127.0.0.1:{await mail.start()}")
    settings.audit.line_file, settings.audit.line_mail_to = str(file), "joho@town.example.jp"
    context = replace(service.context, keep_audit_line=line_keeper(settings, "柴田町"))
    await write(service)
    assert await look(context) and not await look(context)
    (kept,) = file.read_text().splitlines()
    found = audit_line.read(kept)
    assert found is not None and audit_line.is_own(service.keys, found) and found.number >= 3
    assert file.stat().st_mode & 0o777 == 0o600 and len(mail.mailroom.mails) == 1
    service.database.now = lambda: now_ms() + DAY  # type: ignore[method-assign]
    assert await look(context)
    assert len(file.read_text().splitlines()) == 2
    await mail.stop()


async def test_a_place_that_cannot_be_written_is_tried_again(service: Service, tmp_path: Path) -> None:
    settings = service.settings.model_copy(deep=True)
    settings.audit.line_file = str(tmp_path / "not mounted" / "kept")
    context = replace(service.context, keep_audit_line=line_keeper(settings, "柴田町"))
    with pytest.raises(OSError, match="No such file"):
        await look(context)
    (tmp_path / "not mounted").mkdir()
    assert await look(context)
    assert not await look(service.context), "without a place nothing is done"


async def test_a_trail_written_anew_does_not_fit_to_the_lines_outside(service: Service) -> None:
    await write(service)
    head = await audit_chain.verify(service.database, service.keys)
    assert isinstance(head, audit_chain.Head)
    kept = str(audit_line.make(service.keys, service.town.code, today_jst(), head))
    async with service.database.write() as connection:
        for trigger in await connection.scalars(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'")
        ):
            await connection.execute(text(f'DROP TRIGGER "{trigger}"'))
        await connection.execute(text("DELETE FROM audit_link"))
        await connection.execute(text("UPDATE audit_entry SET actor = 'nobody'"))
    line = audit_line.read(f"> {kept}")
    assert line is not None
    assert isinstance(await audit_chain.verify(service.database, service.keys), audit_chain.Head)
    broken = await audit_chain.verify(service.database, service.keys, [line.head])
    assert isinstance(broken, Broken) and broken.why == "not_as_noted"


def test_a_line_that_was_changed_or_is_anothers_is_known(keys: Keys) -> None:
    line = audit_line.make(keys, "043231", today_jst(), audit_chain.Head(12, b"0123456789abcdef"))
    assert audit_line.read(str(line)) == line and audit_line.is_own(keys, line)
    assert not audit_line.is_own(keys, replace(line, head="13:3031323334353637"))
    assert not audit_line.is_own(Keys({1: b"x" * 32}), line)
    for wrong in ("", "kairanban-audit 1 043231 2026-13-40 1:00 " + "0" * 32, str(line)[:-1]):
        assert audit_line.read(wrong) is None


def test_the_lines_are_compared_by_a_command(command_line: Run, tmp_path: Path) -> None:
    command_line("staff", "add", "soumu", "--role", "editor", typed="himitsu-no-kotoba\nhimitsu-no-kotoba\n")
    printed = command_line("audit", "line").stdout
    kept = tmp_path / "kept.txt"
    kept.write_text(f"Subject: 控え\n\n{printed}\n", "utf-8")
    whole = command_line("audit", "verify", "--lines", str(kept))
    assert whole.exit_code == 0 and "控え1件とも合っています" in whole.stderr
    kept.write_text(printed.replace(" 1:", " 2:").replace(" 3:", " 4:"), "utf-8")
    changed = command_line("audit", "verify", "--lines", str(kept))
    assert changed.exit_code == 1 and "このサービスが書いたものではありません" in changed.stderr.replace(
        "\n", ""
    )
    kept.write_text("nothing", "utf-8")
    assert command_line("audit", "verify", "--lines", str(kept)).exit_code == 2
