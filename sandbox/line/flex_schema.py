"""Limits of Flex messages. LINE Messaging API reference, #flex-message; fields as in LINE's OpenAPI file."""

from __future__ import annotations

import json
from typing import Any

from sandbox.line.actions_schema import FLEX_BUTTON_ACTION, UNLABELLED_ACTION
from sandbox.line.errors import Detail
from sandbox.line.schema import (
    EMPTY,
    Checker,
    Fields,
    anything,
    array,
    boolean,
    both,
    integer,
    obj,
    one_of,
    report,
    text,
    typed,
    url,
)

BUBBLE_BYTES = 30 * 1024
CAROUSEL_BYTES = 50 * 1024
CAROUSEL_BUBBLES = 12

_FLEX = {"flex": integer(0)}
_COLOR = text(9, pattern=r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})")


def _length(*words: str, percent: bool = True) -> Checker:
    """Pixels, mostly a share in percent too, or one of these words."""
    number = r"\d{1,5}(\.\d{1,3})?"
    forms = [rf"{number}px", *([rf"{number}%"] if percent else []), *words]
    return text(20, pattern="|".join(forms))


_STEPS = ("none", "xs", "sm", "md", "lg", "xl", "xxl")
_SIZES = ("xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl")
_SPACE = _length(*_STEPS, percent=False)
_SHIFT = _length(*_STEPS)
_TEXT_SIZE = _length(*_SIZES, percent=False)
_PIXELS = _length(percent=False)
_SHARE = _length()
_PLACE: Fields = {
    "position": one_of("relative", "absolute"),
    "offsetTop": _SHIFT,
    "offsetBottom": _SHIFT,
    "offsetStart": _SHIFT,
    "offsetEnd": _SHIFT,
    "margin": _SPACE,
}
_GRAVITY: Fields = {"gravity": one_of("top", "bottom", "center")}
_ALIGN: Fields = {"align": one_of("start", "end", "center")}
_TEXT_STYLE: Fields = {
    "size": _TEXT_SIZE,
    "color": _COLOR,
    "weight": one_of("regular", "bold"),
    "style": one_of("normal", "italic"),
    "decoration": one_of("none", "underline", "line-through"),
}
_RATIO_SHAPE = text(20, pattern=r"[1-9]\d{0,4}(\.\d+)?:[1-9]\d{0,4}(\.\d+)?")
# A picture may be so many times as high as it is wide.
_TALLEST = 3.0


def _ratio(value: Any, path: str, errors: list[Detail]) -> None:
    before = len(errors)
    _RATIO_SHAPE(value, path, errors)
    if len(errors) == before:
        width, _, height = value.partition(":")
        if float(height) > _TALLEST * float(width):
            report(errors, path, "invalid format")


_ACTION: Fields = {"action": UNLABELLED_ACTION}
_TYPE: Fields = {"type": anything}


def _component(required: Fields, optional: Fields) -> Checker:
    return obj({**_TYPE, **required}, optional, strict=True)


def _words(value: Any, path: str, errors: list[Detail]) -> None:
    if not value.get("text") and not value.get("contents"):
        report(errors, f"{path}.text", EMPTY)


_SPAN = _component({"text": text(2000)}, _TEXT_STYLE)
_TEXT = both(
    _component(
        {},
        {
            "text": text(2000, 0),
            "contents": array(typed({"span": _SPAN}), 1000),
            "wrap": boolean,
            "lineSpacing": _PIXELS,
            "maxLines": integer(0),
            "adjustMode": one_of("shrink-to-fit"),
            "scaling": boolean,
            **_FLEX,
            **_TEXT_STYLE,
            **_PLACE,
            **_GRAVITY,
            **_ALIGN,
            **_ACTION,
        },
    ),
    _words,
)
_BUTTON = _component(
    {"action": FLEX_BUTTON_ACTION},
    {
        "color": _COLOR,
        "style": one_of("primary", "secondary", "link"),
        "height": one_of("sm", "md"),
        "adjustMode": one_of("shrink-to-fit"),
        "scaling": boolean,
        **_FLEX,
        **_PLACE,
        **_GRAVITY,
    },
)
# LINE takes https alone. A service that is tried out on this machine has no certificate.
_PICTURE_URL = url(2000, "https", "http://127.0.0.1", "http://localhost")
_IMAGE = _component(
    {"url": _PICTURE_URL},
    {
        "size": _length(*_SIZES, "full"),
        "aspectRatio": _ratio,
        "aspectMode": one_of("fit", "cover"),
        "backgroundColor": _COLOR,
        "animated": boolean,
        **_FLEX,
        **_PLACE,
        **_GRAVITY,
        **_ALIGN,
        **_ACTION,
    },
)
_ICON = _component(
    {"url": url(2000)}, {"size": _TEXT_SIZE, "aspectRatio": _ratio, "scaling": boolean, **_PLACE}
)
_SEPARATOR = _component({}, {"margin": _SPACE, "color": _COLOR})
_FILLER = _component({}, _FLEX)
_GRADIENT = obj(
    {
        "type": one_of("linearGradient"),
        "angle": text(20, pattern=r"\d{1,3}(\.\d+)?deg"),
        "startColor": _COLOR,
        "endColor": _COLOR,
    },
    {"centerColor": _COLOR, "centerPosition": text(20, pattern=r"\d{1,3}(\.\d+)?%")},
)


def _children(value: Any, path: str, errors: list[Detail]) -> None:
    """On a base line stand words and icons, elsewhere everything but icons."""
    children = _ON_A_BASELINE if value.get("layout") == "baseline" else _IN_A_BOX
    children(value.get("contents"), f"{path}.contents", errors)


_BOX_SHAPE = _component(
    {"layout": one_of("horizontal", "vertical", "baseline"), "contents": anything},
    {
        "justifyContent": one_of(
            "center", "flex-start", "flex-end", "space-between", "space-around", "space-evenly"
        ),
        "alignItems": one_of("center", "flex-start", "flex-end"),
        "background": _GRADIENT,
        "backgroundColor": _COLOR,
        "borderColor": _COLOR,
        "borderWidth": _length("none", "light", "normal", "medium", "semi-bold", "bold", percent=False),
        "cornerRadius": _SPACE,
        "spacing": _SPACE,
        **dict.fromkeys(("width", "maxWidth", "height", "maxHeight"), _SHARE),
        **dict.fromkeys(("paddingAll", "paddingTop", "paddingBottom", "paddingStart", "paddingEnd"), _SHIFT),
        **_FLEX,
        **_PLACE,
        **_ACTION,
    },
)
_BOX = both(_BOX_SHAPE, _children)
_VIDEO = _component(
    {"url": url(2000), "previewUrl": url(2000), "altContent": typed({"image": _IMAGE, "box": _BOX})},
    {"aspectRatio": _ratio, **_ACTION},
)
_IN_A_BOX = array(
    typed(
        {
            "box": _BOX,
            "button": _BUTTON,
            "image": _IMAGE,
            "text": _TEXT,
            "separator": _SEPARATOR,
            "filler": _FILLER,
        }
    ),
    10_000,
)
_ON_A_BASELINE = array(typed({"icon": _ICON, "text": _TEXT, "filler": _FILLER}), 10_000)
_BLOCK_STYLE = obj(
    {}, {"backgroundColor": _COLOR, "separator": boolean, "separatorColor": _COLOR}, strict=True
)
_BUBBLE_SHAPE = _component(
    {},
    {
        "size": one_of("nano", "micro", "deca", "hecto", "kilo", "mega", "giga"),
        "direction": one_of("ltr", "rtl"),
        "header": typed({"box": _BOX}),
        "hero": typed({"box": _BOX, "image": _IMAGE, "video": _VIDEO}),
        "body": typed({"box": _BOX}),
        "footer": typed({"box": _BOX}),
        "styles": obj({}, dict.fromkeys(("header", "hero", "body", "footer"), _BLOCK_STYLE), strict=True),
        **_ACTION,
    },
)


def _no_larger_than(limit: int) -> Checker:
    def check(value: Any, path: str, errors: list[Detail]) -> None:
        # ASCII JSON is at least as long as UTF-8 JSON: most bubbles never need the second count.
        if len(json.dumps(value, separators=(",", ":"))) <= limit:
            return
        encoded = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
        if len(encoded) > limit:
            report(errors, path, f"The size must be less than or equal to {limit // 1024} KB")

    return check


_BUBBLE = both(_no_larger_than(BUBBLE_BYTES), _BUBBLE_SHAPE)


def _equal_widths(value: Any, path: str, errors: list[Detail]) -> None:
    bubbles = value.get("contents")
    bubbles = bubbles if isinstance(bubbles, list) else []
    sizes = {str(bubble.get("size") or "mega") for bubble in bubbles if isinstance(bubble, dict)}
    if len(sizes) > 1:
        report(errors, f"{path}.contents", "The bubbles of a carousel must have the same size")


_CAROUSEL = both(
    _no_larger_than(CAROUSEL_BYTES),
    _component({"contents": array(typed({"bubble": _BUBBLE}), CAROUSEL_BUBBLES, 1)}, {}),
    _equal_widths,
)
CONTAINER = typed({"bubble": _BUBBLE, "carousel": _CAROUSEL})
