"""The HTML part of a mail: the words of the text, tappable, and nothing that could be run or fetched."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.mail.html import LIMIT
from channels.mail.messages import build_template, fill
from channels.rendering import body, heading
from tests.channels.announcements import LANGUAGES, with_japanese
from tests.channels.test_marks import announcements

STOP, READ = "https://x.example.jp/unsubscribe/1.token", "https://x.example.jp/read/2.token"
SETTINGS = "https://x.example.jp/preferences"
TAGS = {"html", "head", "meta", "title", "body", "h1", "p", "strong", "br", "hr", "a"}


class Page(HTMLParser):
    """What a mail program makes of a page: its words, its tags, its links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words, self.tags, self.links, self.names = "", set[str](), list[str](), set[str]()
        self.language = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag == "html":
            self.language = dict(attrs)["lang"]

    def handle_data(self, data):
        self.words += data


def sent(announcement, language="ja"):
    template = build_template(announcement, language, "町 <a@example.jp>", "list.example.jp", SETTINGS)
    source = fill(template, to="a@example.jp", message_id="<1@x>", unsubscribe_url=STOP, read_url=READ)
    return message_from_bytes(source, policy=policy.default)


def parts(announcement, language="ja"):
    mail = sent(announcement, language)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    plain, html = (part.get_content() for part in mail.iter_parts())
    return plain, Page(html)


def squeezed(text):
    return "".join(text.split())


@given(announcement=announcements(), language=st.sampled_from(LANGUAGES))
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_stays_words_and_none_of_them_is_lost(announcement, language):
    _, page = parts(announcement, language)
    assert page.tags <= TAGS
    assert page.names <= {"lang", "dir", "charset", "name", "content", "style", "href"}
    assert all(link.startswith(("https://", "http://", "tel:")) for link in page.links)
    assert squeezed(heading(announcement, language)) in squeezed(page.words)
    assert squeezed(body(announcement, language)) in squeezed(page.words)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="x">',
        '"><a href="https://evil.example">',
        "&lt;b&gt;",
    ],
)
def test_markup_is_shown_as_it_was_typed(text):
    _, page = parts(with_japanese(title=text, body=f"{text}。{text}"))
    assert page.tags <= TAGS and page.words.count(text) >= 4
    assert not any(link.startswith("https://evil") and "example.jp" in link for link in page.links)


def test_links_and_numbers_can_be_tapped_and_the_ways_out_are_the_last():
    _, page = parts(
        with_japanese(body="申し込みは https://town.example.jp/a?b=1&c=2 か 電話 0224-55-2111 へ。")
    )
    assert "https://town.example.jp/a?b=1&c=2" in page.links and "tel:0224552111" in page.links
    assert page.links[-2:] == [SETTINGS, STOP]


def test_who_is_asked_finds_the_link_to_say_so_in_both_parts():
    plain, page = parts(replace(with_japanese(), asks_read=True))
    assert page.links[-3:] == [READ, SETTINGS, STOP]
    assert READ in plain and STOP in plain


@pytest.mark.parametrize(("language", "lang"), [("ja", "ja"), ("ja-easy", "ja"), ("en", "en")])
def test_a_screen_reader_is_told_the_language(language, lang):
    assert parts(with_japanese(), language)[1].language == lang


def test_the_text_is_the_same_with_and_without_html_and_what_is_too_large_goes_without():
    large = sent(with_japanese(body="あ" * (LIMIT // 3 + 1)))
    assert large.get_content_type() == "text/plain"
    plain, page = parts(with_japanese(body="あ" * 9_000))
    assert "あ" * 9_000 in plain and "あ" * 9_000 in page.words
