"""Limits of action objects. LINE Messaging API reference, #action-objects and #action-object-label-spec."""

from __future__ import annotations

from typing import Any

from sandbox.line.errors import Detail
from sandbox.line.schema import Checker, Fields, obj, one_of, report, text, typed, url
from sandbox.line.textlength import graphemes

_DATA = text(300)
_URI = url(1000, "http", "https", "line", "tel")
_MOMENT = text(16, pattern=r"\d{4}-\d{2}-\d{2}([Tt]\d{2}:\d{2})?|\d{2}:\d{2}")


def actions(label_limit: int, *, label_required: bool, extra: tuple[str, ...] = ()) -> Checker:
    """Action objects at one kind of place: how long a label may be and whether it must be there.

    `extra` names the kinds that are allowed at this place only (camera, richmenuswitch, …).
    """
    label = {"label": text(label_limit, 0 if not label_required else 1, measure=graphemes)}
    kinds = {kind: _action(kind, label, label_required) for kind in (*_EVERYWHERE, *extra)}
    return typed(kinds)


def _action(kind: str, label: Fields, label_required: bool) -> Checker:
    required, optional = _ACTIONS[kind]
    shape = obj({**required, **label}, optional) if label_required else obj(required, {**optional, **label})
    if kind != "postback":
        return shape

    def check(value: Any, path: str, errors: list[Detail]) -> None:
        shape(value, path, errors)
        _postback_rules(value, path, errors)

    return check


def _postback_rules(value: dict[str, Any], path: str, errors: list[Detail]) -> None:
    if value.get("displayText") and value.get("text"):
        report(errors, f"{path}.text", "displayText and text can not be used together")
    if value.get("fillInText") and value.get("inputOption") != "openKeyboard":
        report(errors, f"{path}.fillInText", "fillInText needs the inputOption openKeyboard")


_EVERYWHERE = ("postback", "message", "uri", "datetimepicker", "clipboard")
_ACTIONS: dict[str, tuple[Fields, Fields]] = {
    "postback": (
        {"data": _DATA},
        {
            "displayText": text(300, measure=graphemes),
            "text": text(300, measure=graphemes),
            "inputOption": one_of("closeRichMenu", "openRichMenu", "openKeyboard", "openVoice"),
            "fillInText": text(300, measure=graphemes),
        },
    ),
    "message": ({"text": text(300, measure=graphemes)}, {}),
    "uri": ({"uri": _URI}, {"altUri": obj({}, {"desktop": _URI})}),
    "datetimepicker": (
        {"data": _DATA, "mode": one_of("date", "time", "datetime")},
        {"initial": _MOMENT, "max": _MOMENT, "min": _MOMENT},
    ),
    "clipboard": ({"clipboardText": text(1000)}, {}),
    "richmenuswitch": ({"richMenuAliasId": text(32, pattern=r"[a-z0-9_-]{1,32}"), "data": _DATA}, {}),
    "camera": ({}, {}),
    "cameraRoll": ({}, {}),
    "location": ({}, {}),
}

TEMPLATE_ACTION = actions(20, label_required=True)
IMAGE_CAROUSEL_ACTION = actions(12, label_required=False)
UNLABELLED_ACTION = actions(40, label_required=False)
QUICK_REPLY_ACTION = actions(20, label_required=True, extra=("camera", "cameraRoll", "location"))
FLEX_BUTTON_ACTION = actions(40, label_required=True)
RICH_MENU_ACTION = actions(20, label_required=False, extra=("richmenuswitch",))
