"""What the fault rules do to API requests: before anything happens, or to the answer of an accepted one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.line.call import Call, Route
from sandbox.line.errors import ApiError, Json, Reply
from sandbox.line.events import build
from sandbox.line.faults import ANSWER_MANGLERS, path_matches
from sandbox.line.phones import publish_user
from sandbox.line.users import REACHABLE

Found = tuple[Route, dict[str, str]] | None
_RATE_MESSAGE = "The API rate limit has been exceeded. Try again later."


@dataclass(slots=True)
class Spoil:
    """How the answer is to be sent: `ending` is "", "hang" or "reset"; `mangle` are answer actions."""

    ending: str = ""
    reset_when: str = "headers"
    mangle: list[Json] = field(default_factory=list)


class Spoiled(Exception):
    """A fault decided the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


async def before(call: Call, found: Found, spoil: Spoil) -> None:
    """Apply the rules of stage "before"; raises Spoiled when they decide the answer."""
    if call.now_ms < call.sandbox.outage_until_ms:
        raise ApiError(500, "Internal Server Error")
    for action in _struck(call, "before"):
        await _apply(call, found, spoil, action, accepted=False)


async def after(call: Call, found: Found, spoil: Spoil, reply: Reply) -> None:
    """Apply the rules of stage "after" to an accepted request."""
    del reply
    for action in _struck(call, "after"):
        await _apply(call, found, spoil, action, accepted=True)


def _struck(call: Call, stage: str) -> list[Json]:
    faults = call.sandbox.faults
    return faults.take("api", stage, lambda match: _concerns(match, call)) if faults.rules else []


def _concerns(match: Json, call: Call) -> bool:
    if match.get("method", call.method) != call.method or not path_matches(match, call.path):
        return False
    if "channel" in match and _channel_of(call) != match["channel"]:
        return False
    if "userId" in match and str(match["userId"]) not in call.path + call.raw.decode("utf-8", "replace"):
        return False
    return "retryKeySeen" not in match or _retry_key_seen(call) == match["retryKeySeen"]


def _channel_of(call: Call) -> str | None:
    bearer = call.headers.get("Authorization", "").removeprefix("Bearer ")
    token = call.sandbox.tokens.find(bearer, call.now_ms)
    return token.channel_id if token else None


def _retry_key_seen(call: Call) -> bool:
    channel = call.sandbox.channels.get(_channel_of(call) or "")
    key = call.retry_key
    return channel is not None and key is not None and channel.retry_keys.seen(key, call.now_ms) is not None


async def _apply(call: Call, found: Found, spoil: Spoil, action: Json, *, accepted: bool) -> None:
    kind = action["type"]
    if kind == "latency":
        await asyncio.sleep(_latency(call, action) / 1000)
    elif kind == "status":
        raise Spoiled(_status(action, accepted))
    elif kind in ("hang", "reset"):
        spoil.ending, spoil.reset_when = kind, str(action.get("when", "headers"))
        raise Spoiled(Reply(0, accepted=accepted))
    elif kind in ANSWER_MANGLERS:
        spoil.mangle.append(action)
    else:
        _disturb(call, found, action)


def _latency(call: Call, action: Json) -> float:
    """Milliseconds of real time. `dist` is uniform (default, ± jitterMs) or exponential (mean ms)."""
    middle, jitter = float(action.get("ms", 500)), float(action.get("jitterMs", 0))
    rng = call.sandbox.faults.random
    if action.get("dist") == "exponential":
        return rng.expovariate(1 / middle) if middle > 0 else 0.0
    return max(0.0, middle + rng.uniform(-jitter, jitter))


def _status(action: Json, accepted: bool) -> Reply:
    code = int(action.get("code", 500))
    body: Any = action.get("body", {"message": _usual_message(code, action)})
    if isinstance(body, str):
        return Reply(code, body.encode(), "text/html", accepted=accepted)
    return Reply(code, json.dumps(body).encode(), accepted=accepted)


def _usual_message(code: int, action: Json) -> str:
    if code == 429:
        return "You have reached your monthly limit." if action.get("kind") == "quota" else _RATE_MESSAGE
    return {
        401: "Authentication failed due to the following reason: expired token.",
        502: "Bad Gateway",
        503: "Service Unavailable",
    }.get(code, "Internal Server Error")


def _disturb(call: Call, found: Found, action: Json) -> None:
    """Faults that change the platform rather than this answer. Durations in seconds of sandbox time."""
    until = call.now_ms + int(float(action.get("seconds", 1)) * 1000)
    channel = call.sandbox.channels.get(_channel_of(call) or "", call.sandbox.channel)
    kind = action["type"]
    if kind == "outage":
        call.sandbox.outage_until_ms = until
        raise ApiError(500, "Internal Server Error")
    if kind == "tokenRevoke":
        call.sandbox.tokens.revoke(call.headers.get("Authorization", "").removeprefix("Bearer "))
    elif kind == "rateBurst":
        route = action.get("route") or (found[0].key if found else "")
        channel.limiter.empty(str(route), until)
    elif kind == "massBlock":
        _mass_block(call, float(action.get("ratio", 0.1)))


def _mass_block(call: Call, ratio: float) -> None:
    channel, rng = call.channel, call.sandbox.faults.random
    for user in channel.users.all:
        if user.state in REACHABLE and rng.random() < ratio:
            user.state, user.blocked_at = "blocked", call.now_ms
            publish_user(call.sandbox, user)
            event = build(call.sandbox, channel, user, "unfollow", answerable=False)
            channel.dispatcher.emit(event)
