"""Resolves recipients and hands messages over: the step in which a request is accepted.

Outcomes: LINE Messaging API reference, "Conditions" of #send-push-message and #send-multicast-message.
A blocked, deleted or foreign recipient answers 200, is not reached and not counted.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from sandbox.line.call import Call
from sandbox.line.chats import new_chat
from sandbox.line.clock import japan_day
from sandbox.line.errors import ApiError, Json, invalid_property
from sandbox.line.ids import USER_ID
from sandbox.line.ledger import Record
from sandbox.line.messages_schema import tag_of
from sandbox.line.users import REACHABLE, User

UNIT_LIMIT = 1000
_SAMPLE_EVERY = 100
_OUTCOMES = {"blocked": "blocked", "deleted": "deleted", "none": "notFriend"}


@dataclass(slots=True)
class Audience:
    """Who is reached, and who is not with the reason: blocked, deleted, notFriend or unknown."""

    reached: list[User] = field(default_factory=list)
    suppressed: list[tuple[str, str]] = field(default_factory=list)


def resolve(call: Call, ids: list[str]) -> Audience:
    """The recipients of a multicast. Raises 400 naming the first malformed (or, by knob, unfit) id."""
    ids = _without_duplicates(call, ids)
    audience, by_id = Audience(), call.channel.users.by_id
    reach, suppressed = audience.reached.append, audience.suppressed
    reject_unknown = call.sandbox.config["multicast.unknownId"] == "reject400"
    for position, user_id in enumerate(ids):
        user = by_id.get(user_id)
        if user is None:
            if reject_unknown or not USER_ID.match(user_id):
                raise invalid_property(f"to[{position}]")
            suppressed.append((user_id, "unknown"))
        elif user.state in REACHABLE:
            reach(user)
        else:
            suppressed.append((user_id, _OUTCOMES[user.state]))
    return audience


def resolve_one(call: Call, user_id: str) -> Audience:
    """The recipient of a push. Raises 400 for a malformed id and for one that the channel does not know."""
    user = call.channel.users.get(user_id)
    if user is None:
        raise ApiError(400, "Failed to send messages") if _is_target(user_id) else invalid_property("to")
    if user.state in REACHABLE or (user.state == "none" and user.wrote_lately(call.now_ms)):
        return Audience([user])
    return Audience(suppressed=[(user_id, _OUTCOMES[user.state])])


def everyone(call: Call) -> Audience:
    """Every friend: the recipients of a broadcast."""
    return Audience([user for user in call.channel.users.all if user.state in REACHABLE])


def say_in_chat(call: Call, method: str, chat_id: str, *, counted: bool = True) -> list[Json]:
    """Into a group or room, and into nobody's own chat; each member counts (LINE's pricing, "message count").

    Raises 400 when the bot is not there any more.
    """
    chat = call.channel.chats.setdefault(chat_id, new_chat(chat_id))
    if not chat.has_bot:
        raise ApiError(400, "Failed to send messages")
    members = [user for user in map(call.channel.users.get, chat.members) if user is not None]
    sent = hand_over(call, method, Audience(members), call.body, counted=counted, into_chats=False)
    chat.remember(
        [
            {"from": "bot", "at": call.now_ms, "id": one["id"], "object": message}
            for one, message in zip(sent, call.body["messages"], strict=True)
        ]
    )
    return sent


def hand_over(
    call: Call,
    method: str,
    audience: Audience,
    body: Json,
    *,
    counted: bool = True,
    into_chats: bool = True,
) -> list[Json]:
    """Deliver and count; returns `sentMessages`. Raises 429 before anything when the plan has too little left.

    `counted=False` is for replies and for narrowcasts, whose quota was reserved before. `into_chats=False`: it stands
    in a chat of several people and not in each one's own.
    """
    channel, now = call.channel, call.now_ms
    people = len({user.index for user in audience.reached})
    if counted:
        channel.quota.require(people, now)
    channel.quota.spend(method, people, now)
    _note_unit(call, body)
    ids = [call.sandbox.ids.message_id() for _ in body["messages"]]
    channel.ledger.add(
        Record(
            request_id=call.request_id,
            at_ms=now,
            method=method,
            tag=tag_of(body["messages"]),
            retry_key=call.retry_key,
            message_ids=ids,
            reached=array("I", [user.index for user in audience.reached]),
            suppressed=audience.suppressed,
        )
    )
    if into_chats:
        _put_into_chats(call, method, audience.reached, body, ids)
    return [{"id": message_id, "quoteToken": call.sandbox.ids.alnum(40)} for message_id in ids]


def _without_duplicates(call: Call, ids: list[str]) -> list[str]:
    if len(set(ids)) == len(ids):
        return ids
    policy = call.sandbox.config["multicast.duplicates"]
    if policy == "reject400":
        raise invalid_property(f"to[{_first_repeated(ids)}]")
    return ids if policy == "each" else list(dict.fromkeys(ids))


def _first_repeated(ids: list[str]) -> int:
    seen: set[str] = set()
    for position, user_id in enumerate(ids):
        if user_id in seen:
            return position
        seen.add(user_id)
    return 0


def _is_target(target: str) -> bool:
    # Group and room ids have the same shape with another letter; those that know this channel are asked before.
    return bool(USER_ID.match(target)) or (target[:1] in ("C", "R") and bool(USER_ID.match("U" + target[1:])))


def _note_unit(call: Call, body: Json) -> None:
    """From the 1,001st name of a month the message goes out but the name is dropped."""
    known = call.channel.units.setdefault(japan_day(call.now_ms)[:6], [])
    for unit in body.get("customAggregationUnits") or ():
        if unit not in known and len(known) < UNIT_LIMIT:
            known.append(unit)


def _put_into_chats(call: Call, method: str, users: Iterable[User], body: Json, ids: list[str]) -> None:
    level, feed = call.sandbox.config["ledger"], call.sandbox.feed
    if level == "summary" and feed.idle:
        return
    silent = bool(body.get("notificationDisabled"))
    entries = [
        {
            "id": message_id,
            "from": "bot",
            "at": call.now_ms,
            "object": message,
            "silent": silent,
            "requestId": call.request_id,
            "deliveryKind": method,
        }
        for message_id, message in zip(ids, body["messages"], strict=True)
    ]
    for user in users:
        if level == "full" or (level == "sample" and user.index % _SAMPLE_EVERY == 0):
            user.remember(entries)
        user.unread += len(entries)
        if feed.listens(user.user_id):
            for entry in entries:
                feed.publish(user.user_id, "message", entry)
    if feed.listens(""):
        feed.publish("", "delivery", {"requestId": call.request_id, "method": method, "messageIds": ids})
