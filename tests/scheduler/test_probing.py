"""An account that would not send is found out while nothing is to be sent, and goes on by itself when mended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.channel import Channel
from channels.line.channel import LineChannel
from channels.mail.channel import MailChannel
from content.ledger import account_outages
from content.town import Account
from sandbox.mail.server import SmtpSandbox
from scheduler import alarm_checks
from scheduler.alarm_checks import find_troubles
from scheduler.alarm_codes import AlarmCode
from scheduler.probing import AccountProbes
from scheduler.town_context import TownContext
from tests.scheduler.outside import TOKEN, Outside
from tests.scheduler.scripted import Stage


async def stopped(context: TownContext) -> set[str]:
    async with context.database.read() as connection:
        return await account_outages.stopped_accounts(connection)


async def alarms(context: TownContext) -> set[str]:
    return {str(item.code) for item in await find_troubles(context)}


async def test_a_revoked_token_is_known_before_the_next_notice_and_so_is_its_end(
    real: Stage, outside: Outside
) -> None:
    token = "revoked"

    def channel_of(account: Account) -> Channel:
        if account.channel != "line":
            return outside.channel_of(account)
        return LineChannel(api_base=outside.line_origin, token=token)

    context = replace(real.context, channel_of=channel_of)
    probes = AccountProbes()
    await probes.look(context)
    assert await stopped(context) == {"line"}
    assert AlarmCode.ACCOUNT_STOPPED in await alarms(context)
    # Whoever mends it does not wait for an hour.
    token = TOKEN
    await probes.look(context)
    assert await stopped(context) == set()
    # Nobody was written to.
    assert not outside.smtp.mailroom.recipients and not outside.chats


async def test_a_mail_server_that_refuses_the_login_is_known(real: Stage, outside: Outside) -> None:
    server = SmtpSandbox(login=("town", "right"))
    port = await server.start()
    password = "wrong"

    def channel_of(account: Account) -> Channel:
        if account.channel != "mail":
            return outside.channel_of(account)
        return MailChannel(
            smtp_url=f"smtp://town:{password}@127.0.0.1:{port}",
            sender="柴田町 <notice@shibata.example.jp>",
            list_id="notice.shibata.example.jp",
            unsubscribe_url=lambda reader: "https://town.example.jp/unsubscribe",
            message_mark=lambda public_id, version: version,
            message_domain="shibata.example.jp",
        )

    context = replace(real.context, channel_of=channel_of)
    probes = AccountProbes()
    await probes.look(context)
    assert await stopped(context) == {"mail"}
    password = "right"
    await probes.look(context)
    assert await stopped(context) == set()
    await server.stop()


async def test_a_server_that_is_away_is_an_alarm_until_it_is_back(
    real: Stage, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, probes = real.context, AccountProbes()
    outside.smtp.faults.greeting = "421 4.3.2 later"
    await probes.look(context)
    assert await stopped(context) == set()
    # A break of a minute is no alarm.
    assert AlarmCode.ACCOUNT_UNREACHED not in await alarms(context)
    monkeypatch.setattr(alarm_checks, "UNREACHED", 0)
    assert AlarmCode.ACCOUNT_UNREACHED in await alarms(context)
    outside.smtp.faults.greeting = ""
    probes = AccountProbes()
    await probes.look(context)
    assert AlarmCode.ACCOUNT_UNREACHED not in await alarms(context)


async def test_an_account_that_passed_is_left_alone_for_an_hour(real: Stage, outside: Outside) -> None:
    probes = AccountProbes()
    await probes.look(real.context)
    asked = len(outside.line.requests)
    await probes.look(real.context)
    assert len(outside.line.requests) == asked > 0
