"""What every channel keeps, whatever it talks to: one set of tests, run over all of them."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, get_args

import pytest
import pytest_asyncio

from channels.channel import (
    BroadcastSession,
    CannotRender,
    Channel,
    MeteredSession,
    Recipient,
    Session,
    TemporaryFailure,
    Text,
    UnknownOutcome,
)
from channels.exchanges import LISTENER, Exchange
from channels.line.channel import LineChannel
from channels.mail.messages import fill
from channels.webhook.channel import WebhookChannel
from content.town import ChannelName
from sandbox.line import SandboxOptions
from sandbox.line import create_app as create_line_app
from sandbox.mail.server import SmtpSandbox
from sandbox.sns.app import create_app as create_sns_app
from sandbox.sns.state import SnsSandbox
from sandbox.webhook.receiver import WebhookSandbox
from sandbox.webhook.receiver import create_app as create_webhook_app
from tests.channels import posting
from tests.channels.announcements import (
    LANGUAGES,
    LONG_BODY,
    RETRY_KEY,
    collect,
    collect_until_error,
    line_friends,
    mail_readers,
    notice,
    total,
    with_japanese,
)
from tests.channels.channel_settings import SECRET, Serve, make_mail
from tests.channels.line_server import LineServer

MARKS = {
    ("drill", "ja"): "【訓練】",
    ("drill", "ja-easy"): "【訓練（くんれん）】",
    ("drill", "en"): "[DRILL]",
    ("drill", "vi"): "[DRILL]",
    ("test", "ja"): "【試験】",
    ("test", "ja-easy"): "【試験（しけん）】",
    ("test", "en"): "[TEST]",
    ("test", "vi"): "[TEST]",
}


@dataclass
class Subject:
    """One channel under test: the way to make recipients, and the texts that a person finally reads."""

    session: Session
    recipients: Callable[[int], list[Recipient]]
    texts: Callable[[Any, str], list[str]]

    @property
    def channel(self) -> Channel:
        return self.session.channel


def line_texts(prepared: Any, _language: str) -> list[str]:
    return [message.get("altText") or message["text"] for message in json.loads(prepared.messages)]


def mail_texts(prepared: Any, _language: str) -> list[str]:
    from email import message_from_bytes, policy

    source = fill(
        prepared, to="a@example.jp", message_id="<1@example.jp>", unsubscribe_url="https://example.jp/u"
    )
    message = message_from_bytes(source, policy=policy.default)
    return [str(message["Subject"]), message.get_body(("plain",)).get_content()]


def webhook_texts(prepared: Any, language: str) -> list[str]:
    texts = json.loads(prepared.body)["data"]["texts"]
    return [text["title"] for text in texts if text["language"] == language]


def post_texts(prepared: Any, _language: str) -> list[str]:
    return list(prepared.parts)


def make_subject(name: str, port: int) -> Subject:
    origin = f"http://127.0.0.1:{port}"
    if name.startswith("line"):
        return Subject(
            LineChannel(api_base=origin, token="token", timeout=30).open(), line_friends, line_texts
        )
    if name == "mail":
        return Subject(make_mail(port), mail_readers, mail_texts)
    if name in posting.NAMES:
        return Subject(posting.make_posting(name, origin), posting.the_account, post_texts)
    session = WebhookChannel(allow_private=True, timeout=30).open()
    return Subject(session, lambda count: hook_receivers(origin, count), webhook_texts)


def hook_receivers(origin: str, count: int) -> list[Recipient]:
    return [Recipient(number, f"{origin}/hooks/partner{number} {SECRET}") for number in range(1, count + 1)]


async def start_server(name: str, serve: Serve, smtp: SmtpSandbox) -> int:
    if name == "mail":
        return await smtp.start()
    apps = {
        "line": lambda: LineServer().create_app(),
        "line stand-in": lambda: create_line_app(
            SandboxOptions(channel_secret="secret", channel_token="token")
        ),
        "webhook": lambda: create_webhook_app(WebhookSandbox()),
        **dict.fromkeys(posting.NAMES, lambda: create_sns_app(SnsSandbox())),
    }
    return int((await serve(apps[name]())).rpartition(":")[2])


@pytest_asyncio.fixture(params=["line", "line stand-in", "mail", "webhook", *posting.NAMES])
async def subject(request: pytest.FixtureRequest, serve: Serve) -> AsyncIterator[Subject]:
    smtp = SmtpSandbox()
    made = make_subject(request.param, await start_server(request.param, serve, smtp))
    yield made
    await made.session.close()
    await smtp.stop()


@pytest_asyncio.fixture(params=["line", "mail", "webhook", *posting.NAMES])
async def unreachable(request: pytest.FixtureRequest, closed_port: int) -> AsyncIterator[Subject]:
    made = make_subject(request.param, closed_port)
    yield made
    await made.session.close()


def test_a_channel_says_how_it_wants_to_be_used(subject):
    channel = subject.channel
    assert channel.name in get_args(ChannelName)
    assert channel.batch_size >= 1
    assert channel.concurrency >= 1
    assert channel.rate is None or channel.rate > 0


def test_a_session_can_what_its_channel_says(subject):
    assert isinstance(subject.session, BroadcastSession) == subject.channel.broadcasts
    assert isinstance(subject.session, MeteredSession) == subject.channel.metered


@pytest.mark.parametrize("language", [*LANGUAGES, "vi"])
@pytest.mark.parametrize("mode", ["drill", "test"])
@pytest.mark.parametrize("urgency", ["urgent", "routine"])
def test_a_drill_is_marked_first_on_every_text_in_every_language(subject, language, mode, urgency):
    texts = (*notice().texts, Text("vi", "Lũ lụt", "Hãy đi lên chỗ cao."))
    prepared = subject.channel.prepare(notice(mode=mode, urgency=urgency, texts=texts), language)
    shown = subject.texts(prepared, language)
    assert shown
    assert all(text.startswith(MARKS[mode, language]) for text in shown)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_live_notice_carries_no_drill_mark(subject, language):
    shown = subject.texts(subject.channel.prepare(notice(), language), language)
    assert not any(mark in text for text in shown for mark in ("訓練", "試験", "DRILL", "TEST"))


@pytest.mark.parametrize(("kind", "mark"), [("correction", "【訂正】"), ("withdrawal", "【取消】")])
def test_a_correction_is_marked_after_the_urgency(subject, kind, mark):
    shown = subject.texts(subject.channel.prepare(notice(kind=kind), "ja"), "ja")
    assert all(text.startswith(f"【緊急】{mark}加治川") for text in shown)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_preview_reads_as_the_message_does(subject, language):
    announcement = notice(mode="drill")
    preview = subject.channel.preview(announcement, language)
    assert preview.channel == subject.channel.name
    assert preview.language == language
    assert preview.headline.startswith(MARKS["drill", language])
    assert announcement.text(language).body.split("\n")[0] in preview.body


def test_a_language_without_text_is_read_in_japanese(subject):
    shown = subject.texts(subject.channel.prepare(notice(), "ko"), "ja")
    assert any("加治川" in text for text in shown)


@pytest.mark.parametrize(
    ("announcement", "field"),
    [
        (with_japanese(body=LONG_BODY), "body"),
        (with_japanese(title=""), "title"),
        (with_japanese(title="長い" * 1_000), "title"),
    ],
    ids=["body too long", "no title", "title too long"],
)
def test_words_that_do_not_fit_name_the_field(subject, announcement, field):
    for attempt in (subject.channel.prepare, subject.channel.preview):
        with pytest.raises(CannotRender) as caught:
            attempt(announcement, "ja")
        assert caught.value.field == field
        assert "長い文章です" not in str(caught.value)


def test_words_that_do_not_fit_name_their_language(subject):
    texts = (*(text for text in notice().texts if text.language != "en"), Text("en", "Flood", LONG_BODY))
    with pytest.raises(CannotRender) as caught:
        subject.channel.prepare(notice(texts=texts), "en")
    assert (caught.value.field, caught.value.language) == ("body", "en")


@pytest.mark.parametrize("count", [1, 2, 23])
async def test_the_parts_add_up_to_the_recipients(subject, count):
    prepared = subject.channel.prepare(notice(), "ja")
    parts = await collect(subject.session.send(prepared, subject.recipients(count), RETRY_KEY))
    assert total(parts) == count
    assert not any(part.refused for part in parts)


async def test_nobody_to_send_to_is_no_error(subject):
    prepared = subject.channel.prepare(notice(), "ja")
    assert await collect(subject.session.send(prepared, [], RETRY_KEY)) == []


async def test_a_channel_can_be_used_again_after_close(subject):
    prepared = subject.channel.prepare(notice(), "ja")
    await collect(subject.session.send(prepared, subject.recipients(1), RETRY_KEY))
    await subject.session.close()
    again = subject.session.send(prepared, subject.recipients(1), "9d0f3a0e-8a43-4f5e-9d0a-1f2b3c4d5e6f")
    parts = await collect(again)
    assert total(parts) == 1
    assert not any(part.refused for part in parts)


async def test_a_sender_that_stops_listening_leaves_the_channel_usable(subject):
    prepared = subject.channel.prepare(notice(), "ja")
    parts = subject.session.send(prepared, subject.recipients(20), RETRY_KEY)
    await anext(parts)
    await parts.aclose()
    again = subject.session.send(prepared, subject.recipients(2), "9d0f3a0e-8a43-4f5e-9d0a-1f2b3c4d5e6f")
    assert total(await collect(again)) == 2


async def test_a_server_that_is_down_is_a_temporary_failure(unreachable):
    prepared = unreachable.channel.prepare(notice(), "ja")
    parts, error = await collect_until_error(
        unreachable.session.send(prepared, unreachable.recipients(2), RETRY_KEY)
    )
    assert parts == []
    assert isinstance(error, TemporaryFailure)


async def test_a_server_that_hangs_up_at_once_has_accepted_nothing(unreachable, closed_port):
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", closed_port):
        prepared = unreachable.channel.prepare(notice(), "ja")
        sending = unreachable.session.send(prepared, unreachable.recipients(1), RETRY_KEY)
        parts, error = await collect_until_error(sending)
    assert parts == []
    assert isinstance(error, (TemporaryFailure, UnknownOutcome))


async def test_no_address_and_no_word_is_in_an_error_or_a_log(unreachable, caplog):
    caplog.set_level(logging.DEBUG)
    recipients = unreachable.recipients(2)
    prepared = unreachable.channel.prepare(notice(), "ja")
    _, error = await collect_until_error(unreachable.session.send(prepared, recipients, RETRY_KEY))
    assert error is not None
    told = (
        "".join(traceback.format_exception(error))
        + repr(error)
        + repr(prepared)
        + repr(recipients)
        + caplog.text
    )
    assert not any(recipient.address in told for recipient in recipients if recipient.address)
    assert SECRET not in told
    assert posting.TOKEN not in told
    assert "加治川" not in told


async def test_what_is_recorded_of_a_call_holds_no_address_no_token_and_no_word(subject):
    heard: list[Exchange] = []
    listening = LISTENER.set(heard.append)
    recipients = subject.recipients(2)
    prepared = subject.channel.prepare(notice(), "ja")
    try:
        await collect(subject.session.send(prepared, recipients, RETRY_KEY))
    finally:
        LISTENER.reset(listening)
    # Mail goes by another way than HTTP, and has no such record.
    assert bool(heard) == (subject.channel.name != "mail")
    told = repr(heard)
    for recipient in recipients:
        for part in filter(None, recipient.address.replace("/", " ").split()[1:]):
            assert part not in told or part in ("hooks", "127.0.0.1")
    assert not any(word in told for word in (SECRET, posting.TOKEN, "加治川", "token", "shibata"))
