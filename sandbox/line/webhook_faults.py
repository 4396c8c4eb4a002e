"""What the fault rules do to events and to the POSTs that carry them."""

from __future__ import annotations

import copy
from typing import Any

from sandbox.line.errors import Json
from sandbox.line.platform import Account, Platform


class EventFaults:
    """The fate of one new event under the rules that match it. Delays in seconds of sandbox time."""

    def __init__(self, platform: Platform, account: Account, event: Json) -> None:
        self.event = event
        self.dropped = False
        self.redeliver = False
        self.copies = 0
        self.gap_seconds = 0.0
        self.delay_seconds = 0.0
        self._random = platform.faults.random
        for action in platform.faults.take(
            "webhook", "before", lambda match: _concerns(match, account, event)
        ):
            self._bend(action)

    def _bend(self, action: Json) -> None:
        kind = action["type"]
        if kind == "drop":
            self.dropped = True
        elif kind == "redeliver":
            self.redeliver = True
        elif kind == "duplicate":
            self.copies = int(action.get("n", 1))
            self.gap_seconds = float(action.get("gapMs", 0)) / 1000
        elif kind == "delay":
            self.delay_seconds += float(action.get("ms", 1000)) / 1000
        elif kind == "reorder":
            self.delay_seconds += self._random.random() * float(action.get("windowMs", 1000)) / 1000
        else:
            self.event = _reshaped(self.event, action)


def post_faults(platform: Platform, account: Account, event: Json) -> list[Json]:
    """The rules that bend the whole POST; its first event decides."""
    return platform.faults.take("webhook", "after", lambda match: _concerns(match, account, event))


def _concerns(match: Json, account: Account, event: Json) -> bool:
    source: Any = event.get("source") or {}
    facts = {"channel": account.channel_id, "userId": source.get("userId"), "event": event["type"]}
    return all(match[name] == facts[name] for name in facts if name in match)


def _reshaped(event: Json, action: Json) -> Json:
    shaped = copy.deepcopy(event)
    if action["type"] == "standby":
        # A module channel is in control: no reply token (LINE reference, #common-properties).
        shaped["mode"] = "standby"
        shaped.pop("replyToken", None)
    elif action["type"] == "unknownEvent":
        shaped["type"] = str(action.get("event", "somethingNew"))
        shaped["somethingNew"] = {"detail": "a field of tomorrow"}
    elif action["type"] == "missingField":
        _remove(shaped, str(action.get("field", _TELLING_FIELD.get(event["type"], "source"))))
    return shaped


_TELLING_FIELD = {"follow": "follow", "message": "message.quoteToken", "postback": "postback"}


def _remove(event: Json, path: str) -> None:
    *parents, last = path.split(".")
    place: Any = event
    for name in parents:
        place = place.get(name, {}) if isinstance(place, dict) else {}
    if isinstance(place, dict):
        place.pop(last, None)
