"""Limits of mail domains, from the settings to the mails that leave."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bot.accounts import channels_by_account
from bot.settings import MailSettings, Settings
from channels.channel import Announcement, Part, Recipient, Text
from content.keys import Keys
from content.town import load_town
from sandbox.mail.server import SmtpSandbox
from tests.factories import SHIBATA

NOTICE = Announcement(
    notice_id=1,
    version_id=1,
    town="しばた市",
    mode="live",
    urgency="routine",
    kind="original",
    category="disaster",
    category_names={"ja": "災害"},
    texts=(Text("ja", "断水", "あす断水します。"),),
    url="",
    published_at=0,
)


def test_limits_come_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kairanban.toml").write_text('[mail.domains."docomo.ne.jp"]\nrate = 20\nconnections = 2\n')
    monkeypatch.chdir(tmp_path)
    limit = Settings(town=SHIBATA).mail.domains["docomo.ne.jp"]
    assert (limit.rate, limit.connections) == (20, 2)


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIRANBAN_MAIL__DOMAINS", '{"ezweb.ne.jp": {"rate": 5}}')
    limit = Settings(town=SHIBATA).mail.domains["ezweb.ne.jp"]
    assert (limit.rate, limit.connections) == (5, None)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('{"docomo": {}}', "behind the @"),
        ('{"a@docomo.ne.jp": {}}', "behind the @"),
        ('{"docomo.ne.jp": {"rate": 0}}', "rate"),
        ('{"docomo.ne.jp": {"conections": 1}}', "conections"),
    ],
)
def test_a_wrong_limit_is_named(monkeypatch: pytest.MonkeyPatch, content: str, named: str) -> None:
    monkeypatch.setenv("KAIRANBAN_MAIL__DOMAINS", content)
    with pytest.raises(ValidationError, match=named):
        Settings(town=SHIBATA)


async def test_the_lanes_of_an_account_share_the_limit_of_a_domain() -> None:
    server = SmtpSandbox()
    port = await server.start()
    mail = MailSettings.model_validate(
        {
            "smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"),
            "from": "しばた市 <notice@shibata.example.jp>",
            "domains": {"docomo.ne.jp": {"rate": 0.01}},
        }
    )
    settings = Settings(town=SHIBATA, mail=mail)
    town = load_town(settings.town)
    account = next(account for account in town.accounts if account.channel == "mail")
    channel_of = channels_by_account(settings, Keys({1: b"k" * 32}))
    later = []
    for number in (1, 2):
        channel = channel_of(account)
        session = channel.open()
        parts = session.send(
            channel.prepare(NOTICE, "ja"), [Recipient(number, f"a{number}@docomo.ne.jp")], "k"
        )
        later += [len(part.deferred) async for part in parts if isinstance(part, Part)]
        await session.close()
    await server.stop()
    assert later == [0, 1]
