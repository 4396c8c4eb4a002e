"""The HTML part of a mail: the same words as its text, with links and telephone numbers to tap on.

One column, the reader's own font size, a language for screen readers. Nothing is fetched: no pictures, no styles from
outside, nothing that tells who has read it. Everything that somebody wrote is escaped.
"""

from __future__ import annotations

from html import escape

from channels.attached import attached_words
from channels.channel import Announcement
from channels.rendering import (
    body,
    category_name,
    heading,
    mode_note,
    reference,
    sender_line,
    wording,
)
from channels.tappable import find_taps

# Gmail shows no more of a mail; what is longer goes as text alone.
LIMIT = 100_000
STYLE = (
    "font-family:sans-serif;line-height:1.7;max-width:40em;margin:0 auto;padding:1em;overflow-wrap:anywhere"
)
LINK = "display:inline-block;padding:.5em 0"


def html_page(announcement: Announcement, language: str, settings_url: str) -> list[str]:
    """The page in pieces: between them come the reader's own addresses, of 「読みました」 where it is asked for and
    last of the way out."""
    words = wording(language)
    read = (
        [f'{_top(announcement, language)}<p><a {_styled()} href="', f'">{escape(words.read)}</a></p>']
        if announcement.asks_read
        else [_top(announcement, language)]
    )
    settings = f"<p>{_link(settings_url, words.settings)}</p>" if settings_url else ""
    before = f'{read[-1]}{settings}<p><a {_styled()} href="'
    return [*read[:-1], before, f'">{escape(words.stop)}</a></p></body></html>']


def _top(announcement: Announcement, language: str) -> str:
    words, beside = wording(language), attached_words(language)
    head = escape(heading(announcement, language))
    notes = [mode_note(announcement, language), reference(announcement, language)]
    place = announcement.place
    return "".join(
        (
            f'<!DOCTYPE html><html lang="{"ja" if language == "ja-easy" else escape(language)}" dir="auto"><head><meta charset="utf-8">',
            f'<meta name="viewport" content="width=device-width"><title>{head}</title></head>',
            f'<body style="{STYLE}"><h1 style="font-size:1.3em">{head}</h1>',
            *(f"<p><strong>{escape(note)}</strong></p>" for note in notes if note),
            f"<p>{escape(words.category)}: {escape(category_name(announcement, language))}</p>",
            _paragraphs(body(announcement, language)),
            *(
                f"<p>{escape(beside.picture)}: {_link(picture.url, picture.alt(language))}</p>"
                for picture in announcement.pictures
            ),
            f"<p>{escape(beside.place)}: {escape(place.name)}<br>{_link(place.map_url, beside.map)}</p>"
            if place
            else "",
            f"<p>{_link(announcement.url, words.more)}</p>" if announcement.url else "",
            f"<hr>{_paragraphs(sender_line(announcement, language))}",
        )
    )


def _paragraphs(text: str) -> str:
    """Lines stay lines, and an empty one begins a new paragraph."""
    return "".join(
        f"<p>{_tappable(block).replace(chr(10), '<br>')}</p>" for block in text.split("\n\n") if block.strip()
    )


def _tappable(text: str) -> str:
    parts, done = [], 0
    for tap in find_taps(text):
        parts += [escape(text[done : tap.start]), _anchor(tap.uri, text[tap.start : tap.end])]
        done = tap.end
    return "".join([*parts, escape(text[done:])])


def _link(url: str, label: str) -> str:
    return f'<a {_styled()} href="{escape(url)}">{escape(label or url)}</a>'


def _anchor(uri: str, label: str) -> str:
    return f'<a href="{escape(uri)}">{escape(label)}</a>'


def _styled() -> str:
    return f'style="{LINK}"'
