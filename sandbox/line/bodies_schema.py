"""Shapes of request bodies. LINE Messaging API reference; required fields as in LINE's OpenAPI file."""

from __future__ import annotations

from typing import Any

from sandbox.line.actions_schema import RICH_MENU_ACTION
from sandbox.line.errors import Detail
from sandbox.line.messages_schema import messages
from sandbox.line.schema import (
    Fields,
    array,
    boolean,
    both,
    integer,
    obj,
    one_of,
    report,
    text,
    typed,
)
from sandbox.line.textlength import graphemes

_MESSAGES: Fields = {"messages": messages}
_SILENT: Fields = {"notificationDisabled": boolean}
_UNITS: Fields = {"customAggregationUnits": array(text(30, pattern=r"[a-zA-Z0-9_]{1,30}"), 1)}


def _any_string(value: Any, path: str, errors: list[Detail]) -> None:
    if not isinstance(value, str):
        report(errors, path, "Must be a string")


def id_list(value: Any, path: str, errors: list[Detail]) -> None:
    """1 to 500 strings; whether they are ids is looked at when they are resolved."""
    if not isinstance(value, list):
        report(errors, path, "Must be an array")
    elif not 1 <= len(value) <= 500:
        report(errors, path, "Size must be between 1 and 500")
    elif set(map(type, value)) != {str}:
        report(errors, path, "Must be an array of strings")


REPLY = obj({"replyToken": _any_string, **_MESSAGES}, _SILENT)
PUSH = obj({"to": _any_string, **_MESSAGES}, {**_SILENT, **_UNITS})
MULTICAST = obj({"to": id_list, **_MESSAGES}, {**_SILENT, **_UNITS})
BROADCAST = obj(_MESSAGES, _SILENT)
_LIMIT = obj({}, {"max": integer(1), "upToRemainingQuota": boolean, "forbidPartialDelivery": boolean})
NARROWCAST = obj(
    _MESSAGES, {"recipient": obj({"type": text(20)}), "filter": obj({}), "limit": _LIMIT, **_SILENT}
)
VALIDATE = obj(_MESSAGES)
_PEOPLE = array(obj({"id": _any_string}), 10_000)
AUDIENCE_CREATE = obj(
    {"description": text(120)},
    {"isIfaAudience": boolean, "uploadDescription": text(300), "audiences": _PEOPLE},
)
AUDIENCE_ADD = obj(
    {"audienceGroupId": integer(1, 2**63 - 1), "audiences": _PEOPLE}, {"uploadDescription": text(300)}
)
AUDIENCE_DESCRIBE = obj({"description": text(120)})

_BOUNDS = obj({"x": integer(0), "y": integer(0), "width": integer(1), "height": integer(1)})


def _menu_ratio(value: Any, path: str, errors: list[Detail]) -> None:
    size = value.get("size")
    if not isinstance(size, dict):
        return
    width, height = size.get("width"), size.get("height")
    if isinstance(width, int) and isinstance(height, int) and height > 0 and width / height < 1.45:
        report(errors, "size", "The aspect ratio (width / height) must be 1.45 or more")


RICH_MENU = both(
    obj(
        {
            "size": obj({"width": integer(800, 2500), "height": integer(250)}),
            "selected": boolean,
            "name": text(300, measure=graphemes),
            "chatBarText": text(14, measure=graphemes),
            "areas": array(obj({"bounds": _BOUNDS, "action": RICH_MENU_ACTION}), 20),
        }
    ),
    _menu_ratio,
)
_MENU_ID = text(100)
MENU_BATCH = obj(
    {
        "operations": array(
            typed(
                {
                    "link": obj({"type": _any_string, "from": _MENU_ID, "to": _MENU_ID}),
                    "unlink": obj({"type": _any_string, "from": _MENU_ID}),
                    "unlinkAll": obj({"type": _any_string}),
                }
            ),
            1000,
            1,
        )
    },
    {"resumeRequestKey": text(100, pattern=r"[a-zA-Z0-9_-]{1,100}")},
)
_LIFF_VIEW = {"type": one_of("compact", "tall", "full"), "url": text(1000)}
_LIFF_MORE: Fields = {
    "description": text(100),
    "features": obj({}, {"ble": boolean, "qrCode": boolean}),
    "permanentLinkPattern": one_of("concat"),
    "scope": array(one_of("openid", "email", "profile", "chat_message.write"), 4),
    "botPrompt": one_of("normal", "aggressive", "none"),
}
LIFF_ADD = obj({"view": obj(_LIFF_VIEW, {"moduleMode": boolean})}, _LIFF_MORE)
LIFF_CHANGE = obj({}, {"view": obj({}, {**_LIFF_VIEW, "moduleMode": boolean}), **_LIFF_MORE})
BULK_LINK = obj({"richMenuId": text(100), "userIds": id_list})
BULK_UNLINK = obj({"userIds": id_list})
ALIAS_CREATE = obj({"richMenuAliasId": text(32, pattern=r"[a-z0-9_-]{1,32}"), "richMenuId": text(100)})
ALIAS_UPDATE = obj({"richMenuId": text(100)})


def _loading_seconds(value: Any, path: str, errors: list[Detail]) -> None:
    if isinstance(value, bool) or value not in range(5, 61, 5):
        report(errors, path, "Must be a multiple of 5 between 5 and 60")


LOADING = obj({"chatId": _any_string}, {"loadingSeconds": _loading_seconds})
WEBHOOK_ENDPOINT = obj({"endpoint": text(500)})
WEBHOOK_TEST = obj({}, {"endpoint": text(500)})
MARK_AS_READ = obj({"chat": obj({"userId": _any_string})})
MARK_AS_READ_BY_TOKEN = obj({"markAsReadToken": _any_string})
