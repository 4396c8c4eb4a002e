"""Flex building blocks: large words, strong contrast, whole rows to press, a spoken label on each.

Rows and buttons are boxes with text because text wraps: LINE cuts the label of its own button off,
which strikes readings in brackets first. Colours: at least 7:1 between words and ground.
"""

from __future__ import annotations

import re
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
QUICK_LABEL_LIMIT = 20
MOST_QUICK_REPLIES = 13
MOST_BUBBLES = 12
WEB_ADDRESS = re.compile(r"https?://[!-~]{4,900}")
PHONE_NUMBER = re.compile(r"(?<![0-9-])0[0-9]{1,4}-[0-9]{1,4}-[0-9]{3,4}(?![0-9-])")
# 漢字（かんじ）, with which やさしい日本語 is written.
READING = re.compile(r"[\u3005\u4e00-\u9fff]+[（(]([\u3041-\u30ff]+)[）)]")


def bubble(
    title: str, body: Sequence[FlexElement], footer: Sequence[FlexElement], *, alt: str = ""
) -> Message:
    """One Flex message. `alt` is what the notification and the list of chats show, else the title."""
    blocks: FlexElement = {
        "type": "bubble",
        "size": "mega",
        "header": {
            **_column([_text(title, size="md", weight="bold", color=WHITE)]),
            "backgroundColor": GREEN,
            "paddingAll": "10px",
        },
        "body": {**_column(body, spacing="sm"), "paddingAll": "10px"},
    }
    if footer:
        blocks["footer"] = {**_column(footer, spacing="sm"), "paddingAll": "10px"}
    return {"type": "flex", "altText": _cut(alt or title, ALT_TEXT_LIMIT), "contents": blocks}


def carousel(bubbles: Sequence[Message], *, alt: str) -> Message:
    """Several cards side by side, of equal width."""
    contents = [{**item["contents"], "size": "kilo"} for item in bubbles[:MOST_BUBBLES]]
    return {
        "type": "flex",
        "altText": _cut(alt, ALT_TEXT_LIMIT),
        "contents": {"type": "carousel", "contents": contents},
    }


def text_message(words: str) -> Message:
    return {"type": "text", "text": _cut(words, TEXT_LIMIT)}


def with_quick_replies(messages: Sequence[Message], actions: Sequence[FlexElement]) -> list[Message]:
    """The buttons stand below the last message, always in sight; a phone shows those of the newest one only."""
    *before, last = messages
    items = [{"type": "action", "action": _quick(action)} for action in actions[:MOST_QUICK_REPLIES]]
    return [*before, {**last, "quickReply": {"items": items}} if items else last]


def paragraph(words: str) -> FlexElement:
    return _text(words, size="md")


def note(words: str) -> FlexElement:
    return _text(words, size="sm", color=QUIET)


def strong(words: str) -> FlexElement:
    """What must not be missed."""
    return _text(words, size="md", weight="bold")


def image(address: str) -> Message:
    """A picture that the phone fetches; https only."""
    return {"type": "image", "originalContentUrl": address, "previewImageUrl": address}


def row(title: str, below: str, action: FlexElement) -> FlexElement:
    """A line of a list, to press."""
    words = [_text(_cut(title, NAME_LIMIT), size="md", weight="bold", color=GREEN)]
    if below:
        words.append(_text(below, size="sm", color=QUIET))
    return {
        **_column(words),
        "action": action,
        "paddingAll": "10px",
        "cornerRadius": "8px",
        "borderWidth": "1px",
        "borderColor": LINE,
    }


def field(name: str, value: str) -> FlexElement:
    """A name with what is set for it, one below the other."""
    return _column(
        [_text(name, size="sm", color=QUIET), _text(_cut(value, FIELD_LIMIT), size="lg", weight="bold")]
    )


def switch(name: str, state: str, action: FlexElement, *, on: bool) -> FlexElement:
    """A row to press: ☑ or ☐, the name, and the state in words."""
    return {**_row("☑" if on else "☐", name, state, on=on), "action": action}


def button(words: str, action: FlexElement, *, strong: bool = False) -> FlexElement:
    return {
        "type": "box",
        "layout": "vertical",
        "action": action,
        "paddingAll": "11px",
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


def link(label: str, uri: str) -> FlexElement:
    """Opens a page in the browser of the chat."""
    return {"type": "uri", "label": _cut(label, LABEL_LIMIT), "uri": uri}


def place(label: str) -> FlexElement:
    """Lets somebody send a place; LINE shows it as a quick reply only."""
    return {"type": "location", "label": label}


def grid(buttons: Sequence[FlexElement]) -> list[FlexElement]:
    """Two in a row."""
    pairs = [buttons[start : start + 2] for start in range(0, len(buttons), 2)]
    return [
        {
            "type": "box",
            "layout": "horizontal",
            "spacing": "sm",
            "contents": [{**item, "flex": 1} for item in pair],
        }
        for pair in pairs
    ]


def dialled(phone: str) -> str:
    """The digits of a telephone number as people write it, "" when it has none."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", phone) if sign in "+0123456789")


def date_picker(label: str, data: str, *, first: str, start: str, last: str) -> FlexElement:
    """Opens the phone's calendar at `start`; dates as YYYY-MM-DD."""
    moment = {"initial": start, "min": first, "max": last}
    return {
        "type": "datetimepicker",
        "label": _cut(label, LABEL_LIMIT),
        "data": data,
        "mode": "date",
        **moment,
    }


def _row(box: str, name: str, state: str, *, on: bool) -> FlexElement:
    # One line as long as the name is short: a list that is longer than the screen hides its button.
    return {
        "type": "box",
        "layout": "horizontal",
        "spacing": "md",
        "paddingAll": "8px",
        "cornerRadius": "8px",
        "borderWidth": "2px",
        "borderColor": GREEN if on else LINE,
        "backgroundColor": PALE_GREEN if on else WHITE,
        "alignItems": "center",
        "contents": [
            {**_text(box, size="lg", color=GREEN if on else INK), "flex": 0},
            {**_text(_cut(name, NAME_LIMIT), size="md", weight="bold"), "flex": 1},
            *([{**_text(state, size="xs", color=GREEN if on else QUIET), "flex": 0}] if state else []),
        ],
    }


def _column(contents: Sequence[FlexElement], **style: str) -> FlexElement:
    return {"type": "box", "layout": "vertical", "contents": list(contents), **style}


def _text(words: str, **style: Any) -> FlexElement:
    # `scaling`: as large as the phone's own letters.
    return {"type": "text", "text": words, "wrap": True, "scaling": True, "color": INK, **style}


def _quick(action: FlexElement) -> FlexElement:
    return {**action, "label": short(str(action["label"]), QUICK_LABEL_LIMIT)}


def short(words: str, limit: int) -> str:
    """Where there is no room for both, the reading stands alone: who needs it does not read the kanji."""
    return words if len(words) <= limit else _cut(READING.sub(r"\1", words), limit)


def _cut(words: str, limit: int) -> str:
    return words if len(words) <= limit else words[: limit - 1] + "…"
