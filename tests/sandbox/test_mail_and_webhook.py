"""The mail and webhook stand-ins as people and tests use them: pages, JSON, faults."""

from contextlib import suppress

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from channels.channel import Recipient, TemporaryFailure
from sandbox.mail.pages import create_app as create_mail_app
from sandbox.mail.server import SmtpSandbox
from tests.channels.announcements import (
    PARENT,
    RETRY_KEY,
    collect,
    mail_readers,
    notice,
    refusals,
    with_japanese,
)
from tests.channels.channel_settings import SECRET, make_mail

BANNER = "SANDBOX – 外部には送信されません"


@pytest_asyncio.fixture
async def browser():
    async with aiohttp.ClientSession() as session:
        yield session


async def text_of(browser, url):
    async with browser.get(url) as response:
        assert response.status == 200
        return await response.text()


async def test_the_inbox_leads_from_the_list_to_the_mail(mail, mail_server, serve, browser):
    await collect(mail.send(mail.channel.prepare(notice(mode="drill"), "ja"), mail_readers(2), RETRY_KEY))
    origin = await serve(create_mail_app(mail_server))
    front = await text_of(browser, origin + "/")
    assert '<html lang="ja">' in front and BANNER in front
    assert 'href="mailboxes/reader1%40mail.example.jp"' in front
    box = await text_of(browser, origin + "/mailboxes/reader1%40mail.example.jp")
    assert "【訓練】【緊急】加治川" in box and 'href="../messages/1"' in box
    mail_page = await text_of(browser, origin + "/messages/1")
    assert "高い所へ避難してください。" in mail_page
    assert "<details>" in mail_page and "List-Unsubscribe-Post" in mail_page


async def test_the_inbox_can_be_mounted_under_a_prefix(mail, mail_server, serve, browser):
    await collect(mail.send(mail.channel.prepare(notice(), "ja"), mail_readers(1), RETRY_KEY))
    app = web.Application()
    app.add_subapp("/mail/", create_mail_app(mail_server))
    origin = await serve(app)
    assert "reader1" in await text_of(browser, origin + "/mail/")
    assert "加治川" in await text_of(browser, origin + "/mail/messages/1")


async def test_what_a_mail_contains_cannot_act_on_the_page(mail, mail_server, serve, browser):
    hostile = with_japanese(title="<script>alert(1)</script>", body="<img src=x onerror=alert(1)>")
    await collect(mail.send(mail.channel.prepare(hostile, "ja"), mail_readers(1), RETRY_KEY))
    origin = await serve(create_mail_app(mail_server))
    async with browser.get(origin + "/messages/1") as response:
        assert "<script>" not in await response.text()
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_tests_read_the_inbox_as_json_and_empty_it(mail, mail_server, serve, browser):
    await collect(mail.send(mail.channel.prepare(notice(), "ja"), mail_readers(3), RETRY_KEY))
    origin = await serve(create_mail_app(mail_server))
    async with browser.get(origin + "/api/messages", params={"to": "reader2@mail.example.jp"}) as response:
        (message,) = await response.json()
    assert message["subject"].startswith("【緊急】加治川")
    assert message["headers"]["To"] == message["to"] == "reader2@mail.example.jp"
    assert "避難" in message["text"]
    async with browser.get(origin + "/api/stats") as response:
        assert await response.json() == {"messages": 3, "recipients": 3, "duplicates": 0, "kept": 3}
    async with browser.delete(origin + "/api/messages") as response:
        assert response.status == 204
    assert mail_server.mailroom.stats()["messages"] == 0


async def test_faults_are_set_and_read_over_http(mail, mail_server, serve, browser):
    origin = await serve(create_mail_app(mail_server))
    rules = {"refuse": {"*@mail.example.jp": "550 5.1.1 unknown"}}
    async with browser.put(origin + "/api/faults", json=rules) as response:
        assert (await response.json())["refuse"] == rules["refuse"]
    parts = await collect(mail.send(mail.channel.prepare(notice(), "ja"), mail_readers(1), RETRY_KEY))
    assert refusals(parts) == {1: ("mailbox_unknown", "5.1.1")}
    async with browser.put(origin + "/api/faults", json={"unknown": 1}) as response:
        assert response.status == 400


async def test_a_missing_mail_and_mailbox_are_not_found(mail_server, serve, browser):
    origin = await serve(create_mail_app(mail_server))
    for path in ("/messages/9", "/mailboxes/nobody%40example.jp"):
        async with browser.get(origin + path) as response:
            assert response.status == 404


async def test_only_the_newest_mails_are_kept_but_all_are_counted(serve):
    server = SmtpSandbox(keep=5)
    session = make_mail(await server.start())
    await collect(session.send(session.channel.prepare(notice(), "ja"), mail_readers(12), RETRY_KEY))
    assert server.mailroom.stats() == {"messages": 12, "recipients": 12, "duplicates": 0, "kept": 5}
    await session.close()
    await server.stop()


async def test_the_stand_in_refuses_to_listen_beyond_this_machine():
    with pytest.raises(ValueError, match="this machine only"):
        await SmtpSandbox().start("0.0.0.0")


async def test_the_hook_page_shows_whether_each_signature_is_valid(webhook, hooks, hooks_origin, browser):
    hooks.secrets["forged"] = "whsec_" + "A" * 32
    for name in ("bus", "forged", "unknown"):
        receiver = Recipient(PARENT, f"{hooks_origin}/hooks/{name} {SECRET}")
        # A signature that the receiver cannot check is answered by 401, which is believed only after a while.
        with suppress(TemporaryFailure):
            await collect(
                webhook.send(webhook.channel.prepare(notice(mode="test"), "ja"), [receiver], RETRY_KEY)
            )
    shown = await text_of(browser, hooks_origin + "/")
    assert BANNER in shown
    assert "✔ 正しい" in shown and "✘ 正しくない" in shown and "未確認" in shown
    assert "【試験】【緊急】加治川" in shown


async def test_the_hook_can_be_given_a_secret_faults_and_a_clean_start(hooks, hooks_origin, browser):
    await browser.put(hooks_origin + "/api/hooks/radio2", json={"secret": SECRET})
    assert hooks.secrets["radio2"] == SECRET
    await browser.put(hooks_origin + "/api/faults", json={"status": 503})
    async with browser.post(hooks_origin + "/hooks/bus", data=b"not json") as response:
        assert response.status == 503
    async with browser.get(hooks_origin + "/api/messages", params={"hook": "bus"}) as response:
        (arrival,) = await response.json()
    assert (arrival["valid"], arrival["event"], arrival["status"]) == (False, None, 503)
    await browser.delete(hooks_origin + "/api/messages")
    async with browser.get(hooks_origin + "/api/stats") as response:
        assert await response.json() == {"received": 0, "invalid": 0, "duplicates": 0}
