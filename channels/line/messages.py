"""A notice as LINE message objects: a Flex bubble, or plain text when it is too long for one.

Built with the models of line-bot-sdk, which check types and allowed values; lengths are checked here.
Source of the limits: Messaging API reference, "Flex Message" and "Text message". Lengths are UTF-16 units.
"""

from __future__ import annotations

import importlib
from typing import Any

from channels.channel import Announcement
from channels.line.api import encode
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

ALT_TEXT_LIMIT = 1_500
TEXT_LIMIT = 5_000
BUBBLE_LIMIT_BYTES = 30_000
URL_LIMIT = 1_000
MESSAGES_PER_REQUEST = 5
# Beyond this a bubble is a wall of small text on a phone; a plain message reads and copies better.
BUBBLE_BODY_LIMIT = 2_000
PARAGRAPH_LIMIT = 40

# White text on each has a contrast of at least 7:1.
COLOURS = {"urgent": "#9B1C1C", "routine": "#14532D", "practice": "#3B3F6B"}


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
    return build_plain(announcement, language)


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
    bubble = line.FlexBubble(size="mega", **blocks)
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
    end = "\n".join(filter(None, (more, sender_line(announcement, language))))
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
    parts = (heading(announcement, language), mode_note(announcement, language), body(announcement, language))
    return cut("\n".join(filter(None, parts)), ALT_TEXT_LIMIT)


def load_models() -> Any:
    """The message models of line-bot-sdk.

    Importing them costs 1.3 s and 75 MB, so only a process that renders for LINE pays, and a server
    does it before the first notice.
    """
    return importlib.import_module("linebot.v3.messaging.models")


def _colour(announcement: Announcement) -> str:
    return COLOURS[announcement.urgency if announcement.mode == "live" else "practice"]


def _header(announcement: Announcement, language: str) -> list[Any]:
    line = load_models()
    shown = (marks(announcement, language), category_name(announcement, language))
    return [
        line.FlexText(text=text, color="#FFFFFF", weight="bold", size="sm", wrap=True)
        for text in shown
        if text
    ]


def _words(announcement: Announcement, language: str) -> list[Any]:
    line = load_models()
    notes = (mode_note(announcement, language), reference(announcement, language))
    top = line.FlexText(text=title(announcement, language), weight="bold", size="lg", wrap=True)
    paragraphs = [
        line.FlexText(text=text, size="md", wrap=True) for text in _paragraphs(announcement, language)
    ]
    about = [line.FlexText(text=note, weight="bold", size="sm", wrap=True) for note in notes if note]
    return [top, *about, *paragraphs]


def _paragraphs(announcement: Announcement, language: str) -> list[str]:
    text = body(announcement, language)
    paragraphs = [part.strip("\n") for part in text.split("\n\n") if part.strip()]
    return paragraphs if len(paragraphs) <= PARAGRAPH_LIMIT else [text]


def _footer(announcement: Announcement, language: str) -> list[Any]:
    line = load_models()
    sender = line.FlexText(text=sender_line(announcement, language), size="xs", color="#555555", wrap=True)
    if not announcement.url or len(announcement.url) > URL_LIMIT:
        return [sender]
    action = line.URIAction(label=wording(language).more, uri=announcement.url)
    return [line.FlexButton(style="link", height="sm", action=action), sender]
