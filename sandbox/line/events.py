"""Webhook events as LINE writes them. LINE Messaging API reference, #webhook-event-objects."""

from __future__ import annotations

from typing import Any

from sandbox.line.chats import Chat, chat_id_in
from sandbox.line.errors import Json
from sandbox.line.state import Channel, LineSandbox
from sandbox.line.users import User

KEPT = 1_000


def build(
    sandbox: LineSandbox, channel: Channel, user: User, kind: str, *, answerable: bool, **fields: Any
) -> Json:
    """An event of a user; `answerable` events carry a reply token."""
    now = sandbox.clock.now_ms()
    # Who did not agree to share the profile appears without an id (LINE, messaging-api/user-consent).
    source: Json = {"type": "user"} if user.state == "noConsent" else {"type": "user", "userId": user.user_id}
    event: Json = {
        "type": kind,
        "mode": "active",
        "timestamp": now,
        "source": source,
        "webhookEventId": sandbox.ids.ulid(now),
        "deliveryContext": {"isRedelivery": False},
        **fields,
    }
    if token := fields.get("message", {}).get("markAsReadToken"):
        _keep(channel.read_tokens, token, None)
    if answerable:
        event["replyToken"] = sandbox.ids.hex32()
        # Whoever answers an event of a group speaks in the group.
        target = chat_id_in(event["source"]) or user.user_id
        channel.reply_tokens.issue(event["replyToken"], target, now)
    return event


def build_in_chat(
    sandbox: LineSandbox,
    channel: Channel,
    chat: Chat,
    kind: str,
    *,
    answerable: bool,
    user_id: str = "",
    **fields: Any,
) -> Json:
    """An event of a group or room, of one of its members when `user_id` says so."""
    now = sandbox.clock.now_ms()
    event: Json = {
        "type": kind,
        "mode": "active",
        "timestamp": now,
        "source": {**chat.source, **({"userId": user_id} if user_id else {})},
        "webhookEventId": sandbox.ids.ulid(now),
        "deliveryContext": {"isRedelivery": False},
        **fields,
    }
    if token := fields.get("message", {}).get("markAsReadToken"):
        _keep(channel.read_tokens, token, None)
    if answerable:
        event["replyToken"] = sandbox.ids.hex32()
        channel.reply_tokens.issue(event["replyToken"], chat.chat_id, now)
    return event


def text_content(sandbox: LineSandbox, text: str) -> Json:
    """The `message` of a text event."""
    return {**_content(sandbox, "text"), "text": text, "quoteToken": sandbox.ids.alnum(40)}


def sticker_content(sandbox: LineSandbox, package_id: str, sticker_id: str) -> Json:
    """The `message` of a sticker event."""
    return {
        **_content(sandbox, "sticker"),
        "packageId": package_id,
        "stickerId": sticker_id,
        "stickerResourceType": "STATIC",
        "quoteToken": sandbox.ids.alnum(40),
    }


def image_content(sandbox: LineSandbox, channel: Channel, picture: bytes) -> Json:
    """The `message` of an image event; the picture is fetched by its id."""
    provider = {"contentProvider": {"type": "line"}}
    content = _content(sandbox, "image")
    _keep(channel.contents, content["id"], picture)
    return {**content, **provider, "quoteToken": sandbox.ids.alnum(40)}


def location_content(sandbox: LineSandbox, place: Json) -> Json:
    """The `message` of a location event. `place` has latitude, longitude and maybe title, address."""
    known: Json = {
        name: place[name] for name in ("title", "address", "latitude", "longitude") if name in place
    }
    return {**_content(sandbox, "location"), "latitude": 38.056, "longitude": 140.766, **known}


def _keep(kept: dict[str, Any], name: str, value: Any) -> None:
    """The newest KEPT alone; LINE deletes pictures after a time of its own, too."""
    kept[name] = value
    if len(kept) > KEPT:
        del kept[next(iter(kept))]


def _content(sandbox: LineSandbox, kind: str) -> Json:
    return {"type": kind, "id": sandbox.ids.message_id(), "markAsReadToken": sandbox.ids.alnum(32)}
