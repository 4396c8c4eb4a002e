"""Pages inside LINE (LIFF apps) that a channel registers. LINE Front-end Framework server API reference, #add-liff-app and after.

LINE keeps them with a LINE Login channel; here they are with the channel of the bot.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from sandbox.line.call import Call
from sandbox.line.errors import ApiError, Reply, not_found

MOST_APPS = 30
FIELDS = ("view", "description", "features", "permanentLinkPattern", "scope", "botPrompt")


def add(call: Call) -> Reply:
    """The id is the channel's number and eight letters more."""
    apps = call.channel.liff_apps
    if len(apps) >= MOST_APPS:
        raise ApiError(400, "The maximum number of LIFF apps has been reached")
    _check(call.body.get("view") or {}, call.body)
    liff_id = f"{call.channel.channel_id}-{call.sandbox.ids.alnum(8)}"
    given = {name: call.body[name] for name in FIELDS if call.body.get(name) is not None}
    apps[liff_id] = {
        "liffId": liff_id,
        "features": {"ble": False, "qrCode": False},
        "botPrompt": "none",
        **given,
    }
    return Reply(body={"liffId": liff_id})


def list_all(call: Call) -> Reply:
    """404 as long as there is none."""
    if not call.channel.liff_apps:
        raise not_found("no LIFF apps")
    return Reply(body={"apps": list(call.channel.liff_apps.values())})


def change(call: Call) -> Reply:
    """What is given replaces what was there; of the view and the features field by field."""
    app = _app(call)
    _check(call.body.get("view") or {}, call.body)
    for name in FIELDS:
        given = call.body.get(name)
        if given is not None:
            app[name] = {**app.get(name, {}), **given} if isinstance(given, dict) else given
    return Reply()


def delete(call: Call) -> Reply:
    del call.channel.liff_apps[_app(call)["liffId"]]
    return Reply()


def _check(view: dict[str, Any], body: dict[str, Any]) -> None:
    """https without a fragment, or http to this machine; LINE's own name is not for apps."""
    url = view.get("url")
    if url is not None:
        parts = urlsplit(url)
        here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
        if not (parts.scheme == "https" or here) or not parts.hostname or parts.fragment:
            raise ApiError(400, "invalid view.url")
    if "line" in str(body.get("description") or "").casefold():
        raise ApiError(400, "invalid description")


def _app(call: Call) -> dict[str, Any]:
    found = call.channel.liff_apps.get(call.params["liffId"])
    if found is None:
        raise not_found()
    return found
