"""What a notice is (a drill, a test, a correction, a withdrawal) stands on everything that somebody may read alone."""

import json
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.channel import Announcement, Text
from channels.line.messages import MESSAGES_PER_REQUEST, TEXT_LIMIT, build_broadcast, build_messages
from channels.mail.messages import build_template, fill
from channels.rendering import utf16_length
from channels.webhook.channel import payload
from tests.channels.announcements import LANGUAGES, notice

MARKS = {
    "drill": {"ja": "【訓練】", "ja-easy": "【訓練（くんれん）】", "en": "[DRILL]"},
    "test": {"ja": "【試験】", "ja-easy": "【試験（しけん）】", "en": "[TEST]"},
    "correction": {"ja": "【訂正】", "ja-easy": "【訂正（ていせい）】", "en": "[CORRECTION]"},
    "withdrawal": {"ja": "【取消】", "ja-easy": "【取消（とりけし）】", "en": "[WITHDRAWN]"},
}
SENTENCES = {
    "drill": {"ja": "これは訓練です。", "ja-easy": "これは 訓練（くんれん）です。", "en": "This is a drill."},
    "test": {
        "ja": "これは配信の試験です。",
        "ja-easy": "これは 試験（しけん）です。",
        "en": "This is a test message.",
    },
}
# Short ones go out as a bubble, long ones as several texts; the edges are where parts were lost.
LENGTHS = st.one_of(
    st.integers(1, 40), st.integers(1_990, 2_010), st.integers(4_800, 5_000), st.sampled_from([4_992, 5_000])
)
LINES = st.sampled_from(["あ", "あいうえお。\n", "避難してください。\n\n", "🌊", "word "])


@st.composite
def announcements(draw: st.DrawFn) -> Announcement:
    body = draw(LINES) * 5_000
    texts = tuple(
        Text(language, "題" * draw(st.sampled_from([1, 30, 990])), _first(body, draw(LENGTHS)))
        for language in LANGUAGES
    )
    return notice(
        mode=draw(st.sampled_from(["live", "drill", "test"])),
        kind=draw(st.sampled_from(["original", "correction", "withdrawal"])),
        urgency=draw(st.sampled_from(["urgent", "routine"])),
        texts=texts,
        url=draw(st.sampled_from(["", "https://notice.shibata.example.jp/n/11"])),
    )


def _first(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: units * 2].decode("utf-16-le", "ignore")


def check(text: str, announcement: Announcement, language: str, *, sentence: bool = True) -> None:
    """The marks stand at the beginning, and the whole sentence where there is room for one."""
    for what in (announcement.mode, announcement.kind):
        if what in MARKS:
            assert MARKS[what][language] in text[:60]
    if sentence and announcement.mode in SENTENCES:
        assert SENTENCES[announcement.mode][language] in text


def read_bubble(part: Any) -> str:
    """All texts of a bubble, first to last."""
    if isinstance(part, dict):
        own = part["text"] + "\n" if part.get("type") == "text" else ""
        blocks = [part[name] for name in ("header", "body", "footer", "contents") if name in part]
        return own + "".join(map(read_bubble, blocks))
    return "".join(map(read_bubble, part))


def check_line(messages: list[dict[str, Any]], announcement: Announcement, language: str) -> None:
    for message in messages:
        if message["type"] == "flex":
            check(message["altText"], announcement, language)
            check(read_bubble(message["contents"]), announcement, language)
        else:
            assert utf16_length(message["text"]) <= TEXT_LIMIT
            check(message["text"], announcement, language)


@given(announcement=announcements(), language=st.sampled_from(LANGUAGES))
@settings(max_examples=80, deadline=None)
def test_every_message_object_of_line_says_what_it_is(announcement, language):
    messages = build_messages(announcement, language)
    assert len(messages) <= MESSAGES_PER_REQUEST
    check_line(messages, announcement, language)
    whole = "".join(
        read_bubble(message["contents"]) if message["type"] == "flex" else message["text"]
        for message in messages
    )
    words = "".join(announcement.text(language).body.split())
    assert whole.count("避難") == words.count("避難") or "避難" not in words
    assert sum(whole.count(char) for char in "🌊あ") >= sum(words.count(char) for char in "🌊あ")


@given(announcement=announcements())
@settings(max_examples=30, deadline=None)
def test_every_message_object_of_a_broadcast_says_what_it_is(announcement):
    messages = build_broadcast(announcement)
    assert 1 <= len(messages) <= MESSAGES_PER_REQUEST
    for message in messages:
        text = message.get("altText") or message["text"]
        if announcement.mode != "live":
            assert any(sentence in text for sentence in SENTENCES[announcement.mode].values())
        if announcement.kind != "original":
            assert any(mark in text for mark in MARKS[announcement.kind].values())


@given(announcement=announcements(), language=st.sampled_from(LANGUAGES))
@settings(max_examples=40, deadline=None)
def test_subject_and_body_of_a_mail_say_what_it_is(announcement, language):
    template = build_template(announcement, language, "町 <a@example.jp>", "list.example.jp")
    source = fill(
        template, to="a@example.jp", message_id="<1@example.jp>", unsubscribe_url="https://example.jp/u"
    )
    mail = message_from_bytes(source, policy=policy.default)
    check(str(mail["Subject"]), announcement, language, sentence=False)
    check(mail.get_body(("plain",)).get_content(), announcement, language)


@given(announcement=announcements())
@settings(max_examples=40, deadline=None)
def test_every_text_of_a_webhook_says_what_it_is(announcement):
    data = json.loads(json.dumps(payload(announcement)))["data"]
    assert (data["mode"], data["kind"]) == (announcement.mode, announcement.kind)
    for text in data["texts"]:
        check(text["title"], announcement, text["language"], sentence=False)
        check(text["body"], announcement, text["language"])


@pytest.mark.parametrize("mode", ["drill", "test"])
def test_a_drill_of_4992_characters_is_marked_on_every_text(mode):
    announcement = notice(mode=mode, texts=(Text("ja", "避難訓練", "あ" * 4_992),))
    messages = build_messages(announcement, "ja")
    assert len(messages) == 3
    check_line(messages, announcement, "ja")


def test_a_plain_routine_notice_carries_nothing_of_it():
    (first, second) = build_messages(notice(urgency="routine", texts=(Text("ja", "題", "あ" * 5_000),)), "ja")
    assert first["text"].startswith("題")
    assert second["text"] == "あ" * 5_000
