"""A notice as LINE message objects: a Flex bubble, or plain text when it is too long for one.

Built with the models of line-bot-sdk, which check types and allowed values; lengths are checked here.
Source of the limits: Messaging API reference, "Flex Message" and "Text message". Lengths are UTF-16 units.
"""

from __future__ import annotations

import re
from typing import Any

from channels.attached import ShownPicture, attached_words, picture_text, place_text
from channels.channel import Announcement, CannotRender
from channels.line.api import encode
from channels.line.models import load_models
from channels.rendering import (
    alone,
    body,
    category_name,
    check_body,
    check_title,
    cut,
    heading,
    marks,
    mode_note,
    reference,
    sender_line,
    split,
    title,
    utf16_length,
    wording,
)
from channels.tappable import find_taps

ALT_TEXT_LIMIT = 1_500
TEXT_LIMIT = 5_000
BUBBLE_LIMIT_BYTES = 30_000
URL_LIMIT = 1_000
MESSAGES_PER_REQUEST = 5
# Beyond this a bubble is a wall of small text on a phone; a plain message reads and copies better.
BUBBLE_BODY_LIMIT = 2_000
PARAGRAPH_LIMIT = 40
# Of the links and numbers in the words; more would push the words off the screen.
MOST_TAPS = 3
LABEL_LIMIT = 40
# What the button 「読みました」 sends back, before the public id of the notice; bot.line.postbacks reads it.
READ_DATA = "v1|read|"
# A picture may be three times as high as wide.
TALLEST = 3
NO_HTTPS = (
    "LINEは、https:// で始まるアドレスの画像だけを表示します。このサービスの公開ページがまだ https になっていません。"
    "管理者に https にするよう頼むか、画像を外すか、配信手段からLINEを外してください。"
)

# White text on each has a contrast of at least 7:1.
COLOURS = {"urgent": "#9B1C1C", "routine": "#14532D", "practice": "#3B3F6B"}


def check_pictures(announcement: Announcement, *, allow_http: bool = False) -> None:
    """Raises CannotRender("pictures") for a picture that LINE could not fetch."""
    schemes = ("https://", "http://") if allow_http else ("https://",)
    if not all(picture.url.startswith(schemes) for picture in announcement.pictures):
        raise CannotRender("pictures", NO_HTTPS)


def build_messages(announcement: Announcement, language: str) -> list[dict[str, Any]]:
    """One to three message objects as JSON-ready dicts without nulls.

    Raises CannotRender("title") or CannotRender("body").
    """
    check_title(announcement, language)
    check_body(announcement, language, TEXT_LIMIT, "LINE")
    if utf16_length(body(announcement, language)) <= BUBBLE_BODY_LIMIT:
        message = build_flex(announcement, language)
        if len(encode(message["contents"])) <= BUBBLE_LIMIT_BYTES:
            return [message]
    return [*build_plain(announcement, language), *_read_card(announcement, language)]


def build_flex(announcement: Announcement, language: str) -> dict[str, Any]:
    """The notice as one Flex message with a single bubble."""
    line = load_models()
    blocks = {
        "header": line.FlexBox(
            layout="vertical",
            background_color=_colour(announcement),
            padding_all="md",
            contents=_header(announcement, language),
        ),
        "body": line.FlexBox(layout="vertical", spacing="md", contents=_words(announcement, language)),
        "footer": line.FlexBox(layout="vertical", spacing="sm", contents=_footer(announcement, language)),
    }
    hero = _picture(announcement.pictures[0], language) if announcement.pictures else None
    bubble = line.FlexBubble(size="mega", hero=hero, **blocks)
    message = line.FlexMessage(alt_text=alt_text(announcement, language), contents=bubble)
    return dict(message.to_dict())


def build_plain(announcement: Announcement, language: str) -> list[dict[str, Any]]:
    """The notice as one text message, or more when heading and text do not fit into one."""
    line = load_models()
    first = (
        heading(announcement, language),
        mode_note(announcement, language),
        reference(announcement, language),
        category_name(announcement, language),
    )
    top = "\n".join(filter(None, first))
    more = f"{wording(language).more}: {announcement.url}" if announcement.url else ""
    beside = [picture_text(picture, language) for picture in announcement.pictures]
    if announcement.place:
        beside.append(place_text(announcement.place, language))
    end = "\n".join(filter(None, (*beside, more, sender_line(announcement, language))))
    text = body(announcement, language)
    whole = "\n\n".join(filter(None, (top, text, end)))
    texts = [whole]
    if utf16_length(whole) > TEXT_LIMIT:
        room = TEXT_LIMIT - utf16_length(alone(announcement, language, ""))
        rest = [alone(announcement, language, piece) for piece in split(text, room)]
        texts = [cut(f"{top}\n\n{end}", TEXT_LIMIT), *rest]
    return [dict(line.TextMessage(text=one).to_dict()) for one in texts]


def build_broadcast(announcement: Announcement) -> list[dict[str, Any]]:
    """The notice in all its languages, for readers whose language is unknown: at most five message objects.

    LINE takes no more in one request; languages that do not fit any more are behind the link.
    """
    messages: list[dict[str, Any]] = []
    for text in announcement.texts:
        more = build_messages(announcement, text.language)
        if len(messages) + len(more) > MESSAGES_PER_REQUEST:
            break
        messages += more
    return messages


def alt_text(announcement: Announcement, language: str) -> str:
    """What the notification and the list of chats show: the alert itself first, then the text."""
    words, place = attached_words(language), announcement.place
    beside = [f"{words.picture}: {picture.alt(language)}" for picture in announcement.pictures]
    if place:
        beside.append(f"{words.place}: {place.name}")
    end = cut("\n".join(["", *beside]), ALT_TEXT_LIMIT // 2) if beside else ""
    parts = (heading(announcement, language), mode_note(announcement, language), body(announcement, language))
    return cut("\n".join(filter(None, parts)), ALT_TEXT_LIMIT - utf16_length(end)) + end


def buttons(announcement: Announcement, language: str) -> list[tuple[str, str]]:
    """(label, address) of what can be tapped on below the words: links and numbers in them, the map, the page."""
    words, text = attached_words(language), body(announcement, language)
    found: dict[str, str] = {}
    for tap in find_taps(text):
        if len(tap.uri) <= URL_LIMIT and tap.uri != announcement.url:
            what = words.call if tap.is_call else words.link
            found.setdefault(tap.uri, f"{what}: {_shown(text[tap.start : tap.end])}")
    shown = [(cut(label, LABEL_LIMIT), uri) for uri, label in list(found.items())[:MOST_TAPS]]
    if announcement.place:
        shown.append(
            (cut(f"{words.map}: {announcement.place.label}", LABEL_LIMIT), announcement.place.map_url)
        )
    if announcement.url and len(announcement.url) <= URL_LIMIT:
        shown.append((wording(language).more, announcement.url))
    return shown


def _colour(announcement: Announcement) -> str:
    return COLOURS[announcement.urgency if announcement.mode == "live" else "practice"]


def _header(announcement: Announcement, language: str) -> list[Any]:
    line = load_models()
    shown = (marks(announcement, language), category_name(announcement, language))
    return [
        line.FlexText(text=text, color="#FFFFFF", weight="bold", size="sm", wrap=True, scaling=True)
        for text in shown
        if text
    ]


def _words(announcement: Announcement, language: str) -> list[Any]:
    line = load_models()
    notes = (mode_note(announcement, language), reference(announcement, language))
    top = line.FlexText(text=title(announcement, language), weight="bold", size="lg", wrap=True, scaling=True)
    paragraphs = [
        line.FlexText(text=text, size="md", wrap=True, scaling=True)
        for text in _paragraphs(announcement, language)
    ]
    about = [
        line.FlexText(text=note, weight="bold", size="sm", wrap=True, scaling=True) for note in notes if note
    ]
    more = [_picture(picture, language) for picture in announcement.pictures[1:]]
    return [top, *about, *paragraphs, *more, *_place(announcement, language)]


def _paragraphs(announcement: Announcement, language: str) -> list[str]:
    text = body(announcement, language)
    paragraphs = [part.strip("\n") for part in text.split("\n\n") if part.strip()]
    return paragraphs if len(paragraphs) <= PARAGRAPH_LIMIT else [text]


def _footer(announcement: Announcement, language: str) -> list[Any]:
    line = load_models()
    sender = line.FlexText(
        text=sender_line(announcement, language), size="xs", color="#555555", wrap=True, scaling=True
    )
    taps = [
        line.FlexButton(style="link", height="sm", scaling=True, action=line.URIAction(label=label, uri=uri))
        for label, uri in buttons(announcement, language)
    ]
    return [*_read_button(announcement, language), *taps, sender]


def _read_button(announcement: Announcement, language: str) -> list[Any]:
    """「読みました」, for the notices that ask for it."""
    if not announcement.asks_read:
        return []
    line, label = load_models(), wording(language).read
    action = line.PostbackAction(label=label, data=f"{READ_DATA}{announcement.public_id}", display_text=label)
    return [line.FlexButton(style="primary", color=COLOURS["routine"], scaling=True, action=action)]


def _read_card(announcement: Announcement, language: str) -> list[dict[str, Any]]:
    """The button for a notice that is too long for a card: a text has none."""
    if not announcement.asks_read:
        return []
    line = load_models()
    words = line.FlexText(text=heading(announcement, language), size="md", wrap=True, scaling=True)
    block = line.FlexBox(
        layout="vertical", spacing="md", contents=[words, *_read_button(announcement, language)]
    )
    message = line.FlexMessage(
        alt_text=heading(announcement, language), contents=line.FlexBubble(size="mega", body=block)
    )
    return [dict(message.to_dict())]


def _picture(picture: ShownPicture, language: str) -> Any:
    """As wide as the bubble; a touch opens it alone. Its label is what a screen reader says."""
    line = load_models()
    width, height = picture.width, min(picture.height, TALLEST * picture.width)
    return line.FlexImage(
        url=picture.url,
        size="full",
        aspect_ratio=f"{width}:{height}",
        aspect_mode="cover",
        action=line.URIAction(label=cut(picture.alt(language), LABEL_LIMIT), uri=picture.url),
    )


def _place(announcement: Announcement, language: str) -> list[Any]:
    if announcement.place is None:
        return []
    words = f"{attached_words(language).place}: {announcement.place.name}"
    return [load_models().FlexText(text=words, size="sm", wrap=True, scaling=True)]


def _shown(words: str) -> str:
    """A link without the part that all have in common."""
    return re.sub(r"^https?://(?:www\.)?|/$", "", words, flags=re.IGNORECASE)
