"""Feeds as bytes: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1, all from the same entries."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from html import escape
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bot.outlets.current import Current
from bot.pages import html_language
from channels import rendering
from content import clock

MOST = 50
# Characters of all entries together: readers ask often, and the page of each holds the rest.
MOST_TEXT = 60_000
# XML 1.0 §2.2 allows nothing else, not even escaped.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Feed:
    """`url` is its own address, `page` that of the list for people; `changed` (ms) when anything in it did, 0 for never."""

    title: str
    url: str
    page: str
    author: str
    entries: Sequence[Current]

    @property
    def changed(self) -> int:
        return max((item.changed for item in self.entries), default=0)


def xml_text(text: str) -> str:
    return NOT_XML.sub("", text)


def as_xml(root: Element) -> bytes:
    indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def add(parent: Element, tag: str, text: str = "", **attributes: str) -> Element:
    """An element with words for a person or an address in it."""
    made = SubElement(parent, tag, {name: xml_text(value) for name, value in attributes.items()})
    made.text = xml_text(text) or None
    return made


def shortened(entries: Sequence[Current]) -> list[Current]:
    """The newest, as many as fit."""
    taken: list[Current] = []
    size = 0
    for item in entries[:MOST]:
        size += sum(len(text.body) for text in item.announced.texts)
        if taken and size > MOST_TEXT:
            break
        taken.append(item)
    return taken


def html_of(item: Current) -> str:
    """Every language of the notice, one after the other, each marked as what it is."""
    parts = []
    for text in item.announced.texts:
        words = escape(rendering.body(item.announced, text.language)).replace("\n", "<br>")
        title = escape(item.title(text.language))
        parts.append(
            f'<div lang="{html_language(text.language)}" dir="auto"><h2>{title}</h2><p>{words}</p></div>'
        )
    return "".join(parts)


def atom(feed: Feed) -> bytes:
    root = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": "ja"})
    _head(root, feed)
    for item in feed.entries:
        entry = add(root, "entry")
        add(entry, "title", item.title())
        add(entry, "id", item.url)
        add(entry, "link", rel="alternate", type="text/html", href=item.url)
        add(entry, "published", _rfc3339(item.sent))
        add(entry, "updated", _rfc3339(item.changed))
        add(
            entry, "category", term=item.announced.category, label=item.announced.category_names.get("ja", "")
        )
        add(entry, "content", html_of(item), type="html")
    return as_xml(root)


def alert_feed(feed: Feed, media_type: str, named: Callable[[Current], tuple[str, str]]) -> bytes:
    """Atom whose entries lead to alerts for machines; `named` gives the identifier and the address of each."""
    root = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": "ja"})
    _head(root, feed)
    for item in feed.entries:
        name, address = named(item)
        entry = add(root, "entry")
        add(entry, "title", item.title())
        add(entry, "id", f"urn:kairanban:{name}")
        add(entry, "link", rel="alternate", type=media_type, href=address)
        add(entry, "published", _rfc3339(item.sent))
        add(entry, "updated", _rfc3339(item.sent))
        add(entry, "summary", rendering.body(item.announced, "ja"))
    return as_xml(root)


def _head(root: Element, feed: Feed) -> None:
    add(root, "title", feed.title)
    add(root, "id", feed.url)
    add(root, "link", rel="self", type="application/atom+xml", href=feed.url)
    add(root, "link", rel="alternate", type="text/html", href=feed.page)
    add(root, "updated", _rfc3339(feed.changed))
    add(add(root, "author"), "name", feed.author)


def rss(feed: Feed) -> bytes:
    root = Element("rss", {"version": "2.0", "xmlns:atom": "http://www.w3.org/2005/Atom"})
    channel = add(root, "channel")
    add(channel, "title", feed.title)
    add(channel, "link", feed.page)
    add(channel, "description", feed.title)
    add(channel, "language", "ja")
    add(channel, "atom:link", rel="self", type="application/rss+xml", href=feed.url)
    if feed.changed:
        add(channel, "lastBuildDate", _rfc822(feed.changed))
    for item in feed.entries:
        entry = add(channel, "item")
        add(entry, "title", item.title())
        add(entry, "link", item.url)
        add(entry, "guid", item.url, isPermaLink="true")
        add(entry, "pubDate", _rfc822(item.sent))
        add(entry, "category", item.announced.category_names.get("ja", ""))
        add(entry, "description", html_of(item))
    return as_xml(root)


def json_feed(feed: Feed) -> bytes:
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": feed.page,
            "feed_url": feed.url,
            "language": "ja",
            "authors": [{"name": feed.author}],
            "items": [_json_item(item) for item in feed.entries],
        },
        ensure_ascii=False,
        indent=1,
    ).encode()


def _json_item(item: Current) -> dict[str, object]:
    return {
        "id": item.url,
        "url": item.url,
        "title": item.title(),
        "content_text": rendering.body(item.announced, "ja"),
        "content_html": html_of(item),
        "date_published": _rfc3339(item.sent),
        "date_modified": _rfc3339(item.changed),
        "tags": [item.announced.category],
    }


def _rfc3339(at: int) -> str:
    return clock.to_jst(at).isoformat(timespec="seconds")


def _rfc822(at: int) -> str:
    return format_datetime(clock.to_jst(at))


# Ending of the address → type and writer.
KINDS: dict[str, tuple[str, Callable[[Feed], bytes]]] = {
    "rss": ("application/rss+xml", rss),
    "atom": ("application/atom+xml", atom),
    "json": ("application/feed+json", json_feed),
}
