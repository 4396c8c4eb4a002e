"""From LINE's event JSON to what happened, tolerant of everything new: unknown things are None, not errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from content.register.addresses import BadAddress, normalise

Kind = Literal["follow", "unfollow", "postback", "text", "location", "other"]


@dataclass(frozen=True, slots=True)
class ResidentEvent:
    """One thing that one resident did. `at` is LINE's time of it in ms; `reply_token` "" when none may be used.

    "other" is a message that nobody reads: a sticker, a photo, a video, a voice.
    """

    kind: Kind
    user_id: str = field(repr=False)
    at: int
    reply_token: str = field(default="", repr=False)
    is_unblocked: bool = False
    text: str = field(default="", repr=False)
    data: str = field(default="", repr=False)
    date: str = field(default="", repr=False)
    latitude: float | None = field(default=None, repr=False)
    longitude: float | None = field(default=None, repr=False)


def read_event(event: dict[str, Any]) -> ResidentEvent | None:
    """What happened, None for everything that a conversation with one resident has no use for."""
    user_id = _user_id(event)
    kind = _kind(event)
    if user_id is None or kind is None:
        return None
    # In standby another module of the account talks. What residents did counts, words are not ours.
    token = "" if event.get("mode") == "standby" else _text(event, "replyToken")
    content, message = _part(event, "postback"), _part(event, "message")
    return ResidentEvent(
        kind=kind,
        user_id=user_id,
        at=int(event["timestamp"]),
        reply_token=token,
        is_unblocked=_part(event, "follow").get("isUnblocked") is True,
        text=_text(message, "text"),
        data=_text(content, "data"),
        date=_text(_part(content, "params"), "date"),
        latitude=_degrees(message, "latitude"),
        longitude=_degrees(message, "longitude"),
    )


def _kind(event: dict[str, Any]) -> Kind | None:
    match _text(event, "type"):
        case "follow":
            return "follow"
        case "unfollow":
            return "unfollow"
        case "postback":
            return "postback"
        case "message":
            match _text(_part(event, "message"), "type"):
                case "text":
                    return "text"
                case "location":
                    return "location"
            return "other"
    return None


def _user_id(event: dict[str, Any]) -> str | None:
    # In a group the source names a person too, but an answer would go to the group.
    source = _part(event, "source")
    if source.get("type") != "user":
        return None
    try:
        return normalise("line", _text(source, "userId"))
    except BadAddress:
        return None


def _part(event: dict[str, Any], name: str) -> dict[str, Any]:
    part = event.get(name)
    return part if isinstance(part, dict) else {}


def _degrees(part: dict[str, Any], name: str) -> float | None:
    value = part.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(part: dict[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""
