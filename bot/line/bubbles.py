"""Flex building blocks: large words, strong contrast, whole rows to press, a spoken label on each.

Rows and buttons are boxes with text because text wraps: LINE cuts the label of its own button off,
which strikes readings in brackets first. Colours: at least 7:1 between words and ground.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]
FlexElement = dict[str, Any]

INK, QUIET, GREEN, PALE_GREEN, LINE = "#111111", "#444444", "#14532D", "#E3F1E7", "#5F6B63"
WHITE = "#FFFFFF"
ALT_TEXT_LIMIT = 1_500
TEXT_LIMIT = 5_000
# Far beyond what a page should hold; ten such rows still fit into LINE's 30 KB.
NAME_LIMIT = 200
FIELD_LIMIT = 1_500
LABEL_LIMIT = 40
DISPLAY_TEXT_LIMIT = 300


def bubble(
    title: str, body: Sequence[FlexElement], footer: Sequence[FlexElement], *, alt: str = ""
) -> Message:
    """One Flex message. `alt` is what the notification and the list of chats show, else the title."""
    blocks: FlexElement = {
        "type": "bubble",
        "size": "mega",
        "header": {
            **_column([_text(title, size="lg", weight="bold", color=WHITE)]),
            "backgroundColor": GREEN,
            "paddingAll": "16px",
        },
        "body": {**_column(body, spacing="md"), "paddingAll": "16px"},
    }
    if footer:
        blocks["footer"] = {**_column(footer, spacing="md"), "paddingAll": "16px"}
    return {"type": "flex", "altText": _cut(alt or title, ALT_TEXT_LIMIT), "contents": blocks}


def text_message(words: str) -> Message:
    return {"type": "text", "text": _cut(words, TEXT_LIMIT)}


def paragraph(words: str) -> FlexElement:
    return _text(words, size="md")


def note(words: str) -> FlexElement:
    return _text(words, size="sm", color=QUIET)


def field(name: str, value: str) -> FlexElement:
    """A name with what is set for it, one below the other."""
    return _column(
        [_text(name, size="sm", color=QUIET), _text(_cut(value, FIELD_LIMIT), size="lg", weight="bold")]
    )


def switch(name: str, state: str, action: FlexElement, *, on: bool) -> FlexElement:
    """A row to press: ☑ or ☐, the name, and the state in words."""
    return {**_row("☑" if on else "☐", name, state, on=on), "action": action}


def fixed(name: str, state: str) -> FlexElement:
    """A row that is on and cannot be pressed."""
    return _row("☑", name, state, on=True, border=False)


def button(words: str, action: FlexElement, *, strong: bool = False) -> FlexElement:
    return {
        "type": "box",
        "layout": "vertical",
        "action": action,
        "paddingAll": "14px",
        "cornerRadius": "8px",
        "borderWidth": "2px",
        "borderColor": GREEN,
        "backgroundColor": GREEN if strong else WHITE,
        "contents": [
            _text(words, size="md", weight="bold", align="center", color=WHITE if strong else GREEN)
        ],
    }


def postback(label: str, data: str) -> FlexElement:
    """The action of a button; the label stays in the chat as what the resident said."""
    return {
        "type": "postback",
        "label": _cut(label, LABEL_LIMIT),
        "data": data,
        "displayText": _cut(label, DISPLAY_TEXT_LIMIT),
    }


def call(label: str, phone: str) -> FlexElement:
    """Opens the phone's dialler with the number."""
    return {"type": "uri", "label": _cut(label, LABEL_LIMIT), "uri": f"tel:{dialled(phone)}"}


def dialled(phone: str) -> str:
    """The digits of a telephone number as people write it, "" when it has none."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", phone) if sign in "+0123456789")


def date_picker(label: str, data: str, *, first: str, last: str) -> FlexElement:
    """Opens the phone's calendar; dates as YYYY-MM-DD."""
    moment = {"initial": last, "min": first, "max": last}
    return {
        "type": "datetimepicker",
        "label": _cut(label, LABEL_LIMIT),
        "data": data,
        "mode": "date",
        **moment,
    }


def _row(box: str, name: str, state: str, *, on: bool, border: bool = True) -> FlexElement:
    words = [
        _text(_cut(name, NAME_LIMIT), size="lg", weight="bold"),
        _text(state, size="sm", color=GREEN if on else QUIET),
    ]
    return {
        "type": "box",
        "layout": "horizontal",
        "spacing": "md",
        "paddingAll": "12px",
        "cornerRadius": "8px",
        "borderWidth": "2px" if border else "none",
        "borderColor": GREEN if on else LINE,
        "backgroundColor": PALE_GREEN if on else WHITE,
        "contents": [
            {**_text(box, size="xl", color=GREEN if on else INK), "flex": 0},
            {**_column(words), "flex": 1},
        ],
    }


def _column(contents: Sequence[FlexElement], **style: str) -> FlexElement:
    return {"type": "box", "layout": "vertical", "contents": list(contents), **style}


def _text(words: str, **style: Any) -> FlexElement:
    return {"type": "text", "text": words, "wrap": True, "color": INK, **style}


def _cut(words: str, limit: int) -> str:
    return words if len(words) <= limit else words[: limit - 1] + "…"
