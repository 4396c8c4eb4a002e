"""doctor: each thing that keeps the service from its work is named with a remedy, against real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.commands.backup_proof import Proof, record
from bot.commands.doctor import examine
from bot.doctor.findings import Finding, Grade
from bot.heartbeat import WORDS
from bot.operating_settings import AlarmSettings, AuditSettings
from bot.settings import Settings, WebSettings
from content.clock import now_ms
from content.database import Database, identity
from sandbox.line import SANDBOX_KEY, SandboxOptions, create_app
from tests.bot.line.conftest import serving
from tests.bot.line.village import SECRET, TOKEN, settings_for
from tests.bot.test_belonging import command, made
from tests.faults.recorders import MailRecorder

PUBLIC = "http://127.0.0.1:8080"


@pytest.fixture
async def mail() -> AsyncIterator[MailRecorder]:
    server = MailRecorder()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def whole(tmp_path: Path, mail: MailRecorder) -> AsyncIterator[Settings]:
    """A town where nothing is wrong."""
    own = await made(tmp_path)
    database = Database(own.database_url.get_secret_value())
    await record(database, Proof(0, 0, 0), "cli:joho")
    await database.close()
    app = create_app(SandboxOptions(channel_secret=SECRET, channel_token=TOKEN))
    async with serving(app) as origin:
        webhook = app[SANDBOX_KEY].channel.webhook
        webhook.url, webhook.active = f"{PUBLIC}/line/webhook", True
        yield own.model_copy(
            update={
                "line": settings_for(tmp_path, origin).line,
                "web": WebSettings(public_url=PUBLIC),
                "mail": own.mail.model_copy(
                    update={"smtp_url": SecretStr(mail.url), "sender": "town@town.example.jp"}
                ),
                "alarms": AlarmSettings(mail_to="ops@town.example.jp"),
                "audit": AuditSettings(line_mail_to="ops@town.example.jp"),
            }
        )


def wrong(found: list[Finding]) -> dict[str, str]:
    """What is no good, by its subject; each says what to do."""
    bad = [item for item in found if item.grade != Grade.GOOD]
    assert all(item.remedy for item in bad)
    return {item.subject: item.words for item in bad}


async def test_a_town_where_all_is_well_and_nothing_was_sent(whole: Settings, mail: MailRecorder) -> None:
    asked = {"mail": 0}

    def count(stage: str, _address: str) -> str:
        asked[stage] = asked.get(stage, 0) + 1
        return ""

    mail.rule = count
    found = await examine(whole)
    assert wrong(found) == {}
    assert [item.subject for item in found].count("LINE") == 2
    assert {"データベース", "ディスク", "時計", "メールサーバー", "秘密鍵"} <= {
        item.subject for item in found
    }
    assert asked == {"mail": 0}


async def test_what_is_broken_outside_is_named(whole: Settings) -> None:
    line = whole.line.model_copy(update={"channel_token": SecretStr("revoked")})
    smtp = whole.mail.model_copy(update={"smtp_url": SecretStr("smtp://town:wrong@127.0.0.1:1")})
    found = wrong(await examine(whole.model_copy(update={"line": line, "mail": smtp})))
    assert "トークン" in found["LINE"] or "401" in found["LINE"]
    assert "つながりません" in found["メールサーバー"] and "wrong" not in found["メールサーバー"]


async def test_a_webhook_that_leads_elsewhere_is_doubted(whole: Settings) -> None:
    moved = whole.model_copy(update={"web": WebSettings(public_url="http://127.0.0.1:9999")})
    assert f"{PUBLIC}/line/webhook" in wrong(await examine(moved))["LINE"]


async def test_what_is_wrong_here_is_named(whole: Settings, tmp_path: Path) -> None:
    database = Database(whole.database_url.get_secret_value())
    async with database.write() as connection:
        await identity.hold(connection, "restored", now_ms())
    await database.close()
    assert WORDS["restored"] in wrong(await examine(whole))["データベース"]

    strange = tmp_path / "strange"
    strange.mkdir()
    other = await made(strange)
    found = wrong(await examine(whole.model_copy(update={"secret_key_file": other.secret_key_file})))
    assert "does not belong" in found["データベース"]

    nothing = whole.model_copy(
        update={
            "secret_key_file": tmp_path / "no.key",
            "database_url": SecretStr(f"sqlite:///{tmp_path}/no.db"),
            "alarms": AlarmSettings(),
            "town": tmp_path / "no.toml",
        }
    )
    found = wrong(await examine(nothing))
    assert {"町の設定", "秘密鍵", "データベース"} <= set(found)
    away = whole.model_copy(update={"database_url": SecretStr("postgresql://town:secret@127.0.0.1:1/town")})
    found = wrong(await examine(away))
    assert "届きません" in found["データベース"] and "secret" not in found["データベース"]


async def test_the_command_tells_and_its_exit_code_says_whether_to_act(tmp_path: Path) -> None:
    await made(tmp_path)
    code, err = await command(tmp_path, "doctor", KAIRANBAN_TOWN=str(Path("examples/shibata.toml")))
    assert code == 1
    assert "○ 秘密鍵" in err and "× メールサーバー" in err and "→" in err and "直すところ" in err
