"""LINE: what leaves, and what each answer of the platform means."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.channel import (
    AccountStopped,
    BatchRefused,
    CannotRender,
    DeliveryStopped,
    Part,
    TemporaryFailure,
    Text,
    UnknownOutcome,
)
from channels.line.messages import ALT_TEXT_LIMIT, alt_text
from channels.line.session import LineSession
from channels.rendering import utf16_length
from tests.channels.announcements import (
    LANGUAGES,
    RETRY_KEY,
    collect,
    collect_until_error,
    line_friends,
    notice,
    with_japanese,
)
from tests.channels.line_openapi import validate
from tests.channels.line_server import MONTHLY_LIMIT, OWN, RATE_LIMIT, Answer


def messages_of(session: LineSession, announcement, language="ja"):
    return json.loads(session.channel.prepare(announcement, language).messages)


async def test_one_multicast_carries_the_ids_the_retry_key_and_the_words(line, line_server):
    friends = line_friends(3)
    parts = await collect(line.send(line.channel.prepare(notice(), "ja"), friends, RETRY_KEY))
    assert parts == [Part(3)]
    (request,) = line_server.multicasts
    assert request.headers["X-Line-Retry-Key"] == RETRY_KEY
    assert request.headers["Authorization"] == "Bearer secret-token"
    assert request.json["to"] == [friend.address for friend in friends]
    assert request.json["notificationDisabled"] is False
    assert "加治川" in request.json["messages"][0]["altText"]


async def test_nobody_to_send_to_means_no_request(line, line_server):
    assert await collect(line.send(line.channel.prepare(notice(), "ja"), [], RETRY_KEY)) == []
    assert line_server.requests == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("body", ["短い本文", "段落\n\n" * 100, "長い" * 2_400, ""])
async def test_every_request_is_what_line_describes(line, line_server, language, body):
    announcement = notice(texts=tuple(Text(tag, "題名", body) for tag in LANGUAGES))
    await collect(line.send(line.channel.prepare(announcement, language), line_friends(500), RETRY_KEY))
    validate("MulticastRequest", line_server.multicasts[0].json)
    await line.broadcast(announcement, "0d6b5c1e-3b1a-4b52-8a51-1a2b3c4d5e6f")
    validate("BroadcastRequest", line_server.requests[-1].json)


def test_a_short_notice_is_a_bubble_with_a_button_to_its_page(line):
    (message,) = messages_of(line, notice())
    assert message["type"] == "flex"
    button = message["contents"]["footer"]["contents"][0]
    assert button["action"] == {"type": "uri", "label": "くわしく見る", "uri": notice().url}


def test_a_notice_without_a_page_has_no_button(line):
    (message,) = messages_of(line, notice(url=""))
    assert [part["type"] for part in message["contents"]["footer"]["contents"]] == ["text"]


def test_a_long_notice_is_plain_text_with_nothing_left_out(line):
    body = "あ" * 4_999 + "終"
    messages = messages_of(line, with_japanese(body=body, mode="drill"))
    assert [message["type"] for message in messages] == ["text", "text", "text"]
    assert messages[0]["text"].startswith("【訓練】【緊急】")
    before = "【訓練】これは訓練です。\n\n"
    assert all(message["text"].startswith(before) for message in messages[1:])
    assert "".join(message["text"].removeprefix(before) for message in messages[1:]) == body
    assert all(utf16_length(message["text"]) <= 5_000 for message in messages)


def test_5000_characters_fit_and_5001_name_the_body(line):
    line.channel.prepare(with_japanese(body="あ" * 5_000), "ja")
    with pytest.raises(CannotRender, match="5,000文字まで、今 5,001 文字") as caught:
        line.channel.prepare(with_japanese(body="あ" * 5_001), "ja")
    assert caught.value.field == "body"


def test_an_emoji_counts_twice_as_line_counts(line):
    with pytest.raises(CannotRender, match="今 5,002 文字"):
        line.channel.prepare(with_japanese(body="🌊" * 2_501), "ja")


def test_a_missing_title_is_named(line):
    with pytest.raises(CannotRender) as caught:
        line.channel.prepare(with_japanese(title=" \n"), "ja")
    assert caught.value.field == "title"


def test_the_notification_begins_with_the_alert(line):
    (message,) = messages_of(line, notice(mode="drill"))
    assert "【訓練】【緊急】加治川 氾濫危険水位" in message["altText"][:40]


@given(title=st.text(min_size=1, max_size=900), body=st.text(max_size=2_000))
@settings(max_examples=60, deadline=None)
def test_alt_text_never_exceeds_its_length_nor_halves_a_character(title, body):
    text = alt_text(with_japanese(title, body), "ja")
    assert utf16_length(text) <= ALT_TEXT_LIMIT
    assert text.encode("utf-16-le").decode("utf-16-le") == text


async def test_a_key_that_was_accepted_before_counts_as_accepted_and_reaches_nobody_twice(line, line_server):
    friends, prepared = line_friends(2), line.channel.prepare(notice(), "ja")
    line_server.answers.append(Answer(fault="reset after"))
    parts, error = await collect_until_error(line.send(prepared, friends, RETRY_KEY))
    assert (parts, type(error)) == ([], UnknownOutcome)
    assert await collect(line.send(prepared, friends, RETRY_KEY)) == [Part(2)]
    assert line_server.delivered == [friend.address for friend in friends]


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (Answer(500), UnknownOutcome, "server_error"),
        (Answer(503), UnknownOutcome, "server_error"),
        (Answer(fault="reset"), UnknownOutcome, "no_answer"),
        (Answer(fault="truncate after"), UnknownOutcome, "no_answer"),
        (Answer(409, {"message": "conflict"}), UnknownOutcome, "conflict"),
        (Answer(401), AccountStopped, "credentials"),
        (Answer(403), AccountStopped, "credentials"),
        (Answer(413), BatchRefused, "too_large"),
        (Answer(415), BatchRefused, "invalid_request"),
        (Answer(429, RATE_LIMIT), TemporaryFailure, "rate"),
        (Answer(429, MONTHLY_LIMIT), DeliveryStopped, "quota"),
        (Answer(302, headers={"Location": "/elsewhere"}), TemporaryFailure, "redirected"),
        (Answer(302, headers={"Location": "/login"}, page="login"), TemporaryFailure, "redirected"),
        (Answer(200, page="<html>Wi-Fi</html>"), UnknownOutcome, "foreign_answer"),
        (Answer(200, page="<html>", headers=OWN), UnknownOutcome, "foreign_answer"),
        (Answer(403, page="<html>Blocked</html>"), UnknownOutcome, "foreign_answer"),
        (Answer(400, page="<html>Bad request</html>"), UnknownOutcome, "foreign_answer"),
        (Answer(502, page="<html>Bad gateway</html>"), UnknownOutcome, "server_error"),
    ],
)
async def test_each_answer_has_its_meaning(line, line_server, answer, error, reason):
    line_server.answers.append(answer)
    with pytest.raises(error) as caught:
        await collect(line.send(line.channel.prepare(notice(), "ja"), line_friends(2), RETRY_KEY))
    assert caught.value.reason == reason
    assert len(line_server.requests) == 1


@pytest.mark.parametrize(("headers", "seconds"), [({"Retry-After": "7"}, 7.0), ({}, None)])
async def test_a_rate_limit_says_when_to_come_back_if_line_does(line, line_server, headers, seconds):
    line_server.answers.append(Answer(429, RATE_LIMIT, headers))
    with pytest.raises(TemporaryFailure) as caught:
        await collect(line.send(line.channel.prepare(notice(), "ja"), line_friends(2), RETRY_KEY))
    assert caught.value.retry_after == seconds


async def test_words_that_line_rejects_blame_no_recipient(line, line_server):
    details = [{"message": "May not be empty", "property": "messages[0].text"}]
    line_server.answers.append(
        Answer(400, {"message": "The request body has 1 error(s)", "details": details})
    )
    with pytest.raises(BatchRefused) as caught:
        await collect(line.send(line.channel.prepare(notice(), "ja"), line_friends(4), RETRY_KEY))
    assert caught.value.reason == "invalid_message"


async def test_a_complaint_without_a_place_is_checked_before_blaming_recipients(line, line_server):
    line_server.answers.extend([Answer(400, {"message": "Something is wrong"})] * 2)
    with pytest.raises(BatchRefused) as caught:
        await collect(line.send(line.channel.prepare(notice(), "ja"), line_friends(4), RETRY_KEY))
    assert caught.value.reason == "invalid_message"
    assert line_server.requests[1].path == "/v2/bot/message/validate/multicast"


async def test_a_broadcast_speaks_all_languages_in_one_request(line, line_server):
    await line.broadcast(notice(mode="test"), RETRY_KEY)
    (request,) = line_server.requests
    assert request.path == "/v2/bot/message/broadcast"
    assert request.headers["X-Line-Retry-Key"] == RETRY_KEY
    heads = [message["altText"] for message in request.json["messages"]]
    marks = ("【試験】", "【試験（しけん）】", "[TEST]")
    assert all(head.startswith(mark) for head, mark in zip(heads, marks, strict=True))


async def test_a_broadcast_in_seven_languages_stays_within_five_messages(line, line_server):
    languages = ("ja", "en", "zh", "ko", "vi", "pt", "tl")
    await line.broadcast(notice(texts=tuple(Text(tag, "題名", "本文") for tag in languages)), RETRY_KEY)
    assert len(line_server.requests[0].json["messages"]) == 5


@pytest.mark.parametrize(
    ("limit", "expected"), [({"type": "limited", "value": 200}, 200), ({"type": "none"}, None)]
)
async def test_the_quota_is_read(line, line_server, limit, expected):
    line_server.answers.extend([Answer(json=limit), Answer(json={"totalUsage": 42})])
    quota = await line.quota()
    assert (quota.limit, quota.used) == (expected, 42)
