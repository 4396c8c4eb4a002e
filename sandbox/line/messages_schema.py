"""Limits of message objects. LINE Messaging API reference, #message-objects."""

from __future__ import annotations

import json
from collections import OrderedDict
from hashlib import sha256
from typing import Any

from sandbox.line.actions_schema import (
    IMAGE_CAROUSEL_ACTION,
    QUICK_REPLY_ACTION,
    TEMPLATE_ACTION,
    UNLABELLED_ACTION,
)
from sandbox.line.errors import Detail
from sandbox.line.flex_schema import CONTAINER
from sandbox.line.schema import (
    Checker,
    Fields,
    anything,
    array,
    both,
    integer,
    number,
    obj,
    one_of,
    report,
    text,
    typed,
    url,
)
from sandbox.line.textlength import graphemes

ALT_TEXT = text(1500)
_MEDIA = url(2000)
_REMEMBERED_VALID = 256


def _sender_name(value: Any, path: str, errors: list[Detail]) -> None:
    text(20)(value, path, errors)
    if isinstance(value, str) and value.strip().lower() == "line":
        report(errors, path, "invalid sender name")


_COMMON: Fields = {
    "quickReply": obj(
        {
            "items": array(
                obj({"action": QUICK_REPLY_ACTION}, {"type": one_of("action"), "imageUrl": url(2000)}), 13, 1
            )
        }
    ),
    "sender": obj({}, {"name": _sender_name, "iconUrl": url(2000)}),
    "quoteToken": text(512),
}


def _emoji_places(value: Any, path: str, errors: list[Detail]) -> None:
    words, emojis = value.get("text"), value.get("emojis")
    if not isinstance(words, str) or not isinstance(emojis, list):
        return
    units = words.encode("utf-16-le", "surrogatepass")
    for position, emoji in enumerate(emojis):
        index = emoji.get("index") if isinstance(emoji, dict) else None
        if isinstance(index, int) and units[2 * index : 2 * index + 2] != b"$\x00":
            report(errors, f"{path}.emojis[{position}].index", "invalid emoji index")


_EMOJI = obj({"index": integer(0), "productId": text(100), "emojiId": text(100)})
_TEXT = both(obj({"text": text(5000)}, {"emojis": array(_EMOJI, 20), **_COMMON}), _emoji_places)


def _substitution(value: Any, path: str, errors: list[Detail]) -> None:
    if not isinstance(value, dict):
        report(errors, path, "Must be an object")
    elif len(value) > 100:
        report(errors, path, "Size must be between 0 and 100")
    else:
        for key, entry in value.items():
            _SUBSTITUTE(entry, f"{path}.{key}", errors)


_SUBSTITUTE = typed(
    {
        "mention": obj({"mentionee": typed({"user": obj({"userId": text(33)}), "all": anything})}),
        "emoji": obj({"productId": text(100), "emojiId": text(100)}),
    }
)
_AREA = obj({name: integer(0) for name in ("x", "y", "width", "height")})
_IMAGEMAP_ACTION = typed(
    {
        "uri": obj(
            {"linkUri": url(1000, "http", "https", "line", "tel"), "area": _AREA}, {"label": text(100)}
        ),
        "message": obj({"text": text(400), "area": _AREA}, {"label": text(100)}),
        "clipboard": obj({"clipboardText": text(1000), "area": _AREA}, {"label": text(100)}),
    }
)
_IMAGEMAP_VIDEO = obj(
    {"originalContentUrl": _MEDIA, "previewImageUrl": _MEDIA, "area": _AREA},
    {"externalLink": obj({"linkUri": url(1000), "label": text(30)})},
)
_PICTURE: Fields = {"thumbnailImageUrl": _MEDIA, "imageBackgroundColor": text(9, pattern=r"#[0-9a-fA-F]{6}")}
_TITLE: Fields = {"title": text(40, measure=graphemes), "defaultAction": UNLABELLED_ACTION}
_IMAGE_SHAPE: Fields = {
    "imageAspectRatio": one_of("rectangle", "square"),
    "imageSize": one_of("cover", "contain"),
}


def _shorter_with_picture(long: int, short: int) -> Checker:
    without, beside = text(long, measure=graphemes), text(short, measure=graphemes)

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        if isinstance(value, dict) and value.get("text") is not None:
            limited = beside if value.get("title") or value.get("thumbnailImageUrl") else without
            limited(value["text"], f"{path}.text", errors)

    return check


_COLUMN = both(
    obj({"text": anything, "actions": array(TEMPLATE_ACTION, 3, 1)}, {**_PICTURE, **_TITLE}),
    _shorter_with_picture(120, 60),
)


def _equal_action_counts(value: Any, path: str, errors: list[Detail]) -> None:
    columns = value.get("columns")
    counts = {len(c["actions"]) for c in columns if _has_actions(c)} if isinstance(columns, list) else set()
    if len(counts) > 1:
        report(errors, f"{path}.columns", "The columns must have the same number of actions")


def _has_actions(column: Any) -> bool:
    return isinstance(column, dict) and isinstance(column.get("actions"), list)


_TEMPLATE = typed(
    {
        "buttons": both(
            obj(
                {"text": anything, "actions": array(TEMPLATE_ACTION, 4, 1)},
                {**_PICTURE, **_TITLE, **_IMAGE_SHAPE},
            ),
            _shorter_with_picture(160, 60),
        ),
        "confirm": obj({"text": text(240, measure=graphemes), "actions": array(TEMPLATE_ACTION, 2, 2)}),
        "carousel": both(obj({"columns": array(_COLUMN, 10, 1)}, _IMAGE_SHAPE), _equal_action_counts),
        "image_carousel": obj(
            {"columns": array(obj({"imageUrl": _MEDIA, "action": IMAGE_CAROUSEL_ACTION}), 10, 1)}
        ),
    }
)
MESSAGE = typed(
    {
        "text": _TEXT,
        "textV2": obj({"text": text(5000)}, {"substitution": _substitution, **_COMMON}),
        "sticker": obj({"packageId": text(20), "stickerId": text(20)}, _COMMON),
        "image": obj({"originalContentUrl": _MEDIA, "previewImageUrl": _MEDIA}, _COMMON),
        "video": obj(
            {"originalContentUrl": _MEDIA, "previewImageUrl": _MEDIA}, {"trackingId": text(100), **_COMMON}
        ),
        "audio": obj({"originalContentUrl": _MEDIA, "duration": integer(1)}, _COMMON),
        "location": obj(
            {"title": text(100), "address": text(100), "latitude": number, "longitude": number}, _COMMON
        ),
        "imagemap": obj(
            {
                "baseUrl": _MEDIA,
                "altText": ALT_TEXT,
                "baseSize": obj({"width": integer(1040, 1040), "height": integer(1)}),
                "actions": array(_IMAGEMAP_ACTION, 50),
            },
            {"video": _IMAGEMAP_VIDEO, **_COMMON},
        ),
        "template": obj({"altText": ALT_TEXT, "template": _TEMPLATE}, _COMMON),
        "flex": obj({"altText": ALT_TEXT, "contents": CONTAINER}, _COMMON),
    }
)

_check_all = array(MESSAGE, 5, 1)
_known_valid: OrderedDict[str, None] = OrderedDict()


def messages(value: Any, path: str, errors: list[Detail]) -> None:
    """The `messages` of a send: 1 to 5 objects.

    A fan-out repeats the same messages hundreds of times, so what passed lately passes at once.
    """
    form = tag_of(value)
    if form in _known_valid:
        _known_valid.move_to_end(form)
        return
    before = len(errors)
    _check_all(value, path, errors)
    if len(errors) == before:
        _known_valid[form] = None
        if len(_known_valid) > _REMEMBERED_VALID:
            _known_valid.popitem(last=False)


def tag_of(value: Any) -> str:
    """The alert tag: what identifies equal messages over requests, 16 hex digits."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
