"""What a resident can do on the phone, and the webhook event that follows from it."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.line import events, phones
from sandbox.line.errors import Json
from sandbox.line.state import Channel, LineSandbox
from sandbox.line.users import User
from sandbox.line.webhook_post import Result

LARGEST_PHOTO = 10 * 1024 * 1024
_TAPS = ("tapButton", "tapQuickReply", "tapMenu")


class ActionRefused(Exception):
    """The phone can't do that now; the message says why. `status` is that of the control API."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Done:
    """What an action led to: the event sent to the bot (if any) and what the phone does itself."""

    event: Json | None = None
    extra: Json | None = None
    answered: asyncio.Future[Result] | None = None


class Phone:
    """A user's hands on one channel. `wait` asks for the bot server's answer in `Done.answered`."""

    def __init__(self, sandbox: LineSandbox, channel: Channel, user: User, *, wait: bool = False) -> None:
        self._sandbox = sandbox
        self._channel = channel
        self._user = user
        self._wait = wait

    def act(self, body: Json) -> Done:
        """Do what the body of `POST /_sandbox/users/{id}/actions` asks. Raises ActionRefused."""
        kind = str(body.get("type", ""))
        action = _ACTIONS.get(kind)
        if action is None:
            raise ActionRefused(400, f"type must be one of {', '.join(_ACTIONS)}")
        if self._user.state == "deleted":
            raise ActionRefused(409, "the account was deleted")
        if self._user.state == "blocked" and kind != "unblock":
            raise ActionRefused(409, "the user has blocked the account; only unblock is possible")
        return action(self, body)

    def follow(self, body: Json) -> Done:
        """Add the account as friend."""
        del body
        return self._befriend(is_unblocked=False)

    def unblock(self, body: Json) -> Done:
        """Take the block back."""
        del body
        if self._user.state != "blocked":
            raise ActionRefused(409, "the user has not blocked the account")
        return self._befriend(is_unblocked=True)

    def block(self, body: Json) -> Done:
        """Block the account: LINE tells the bot by an event without reply token."""
        del body
        self._user.state, self._user.blocked_at = "blocked", self._sandbox.clock.now_ms()
        phones.publish_user(self._sandbox, self._user)
        return self._emit("unfollow", answerable=False)

    def delete_account(self, body: Json) -> Done:
        """Leave LINE. The bot is not told."""
        del body
        self._user.state = "deleted"
        phones.publish_user(self._sandbox, self._user)
        return Done()

    def open_chat(self, body: Json) -> Done:
        """Read everything."""
        del body
        self._user.unread = 0
        phones.publish_user(self._sandbox, self._user)
        return Done()

    def text(self, body: Json) -> Done:
        """Type a message."""
        text = str(body.get("text", ""))
        if not text:
            raise ActionRefused(400, "text is empty")
        self._say({"type": "text", "text": text})
        return self._emit("message", answerable=True, message=events.text_content(self._sandbox, text))

    def sticker(self, body: Json) -> Done:
        """Send a sticker."""
        package, sticker = str(body.get("packageId", "446")), str(body.get("stickerId", "1988"))
        self._say({"type": "sticker", "packageId": package, "stickerId": sticker})
        content = events.sticker_content(self._sandbox, package, sticker)
        return self._emit("message", answerable=True, message=content)

    def image(self, body: Json) -> Done:
        """Send a photo: `content` in base64, else one of ours."""
        picture = _picture(body)
        self._say({"type": "text", "text": "[写真]"})
        content = events.image_content(self._sandbox, self._channel, picture)
        return self._emit("message", answerable=True, message=content)

    def location(self, body: Json) -> Done:
        """Send a place."""
        content = events.location_content(self._sandbox, body)
        self._say(
            {"type": "location", "title": "", "address": "", **_without(content, "id", "markAsReadToken")}
        )
        return self._emit("message", answerable=True, message=content)

    def postback(self, body: Json) -> Done:
        """Send a button's data; its displayText becomes the user's bubble."""
        if "data" not in body:
            raise ActionRefused(400, "data is missing")
        shown = body.get("displayText") or body.get("text")
        if shown:
            self._say({"type": "text", "text": str(shown)})
        content: Json = {"data": str(body["data"])}
        if body.get("params"):
            content["params"] = body["params"]
        return self._emit("postback", answerable=True, postback=content)

    def account_link(self, body: Json) -> Done:
        """Finish account linking with the nonce of the town's login page."""
        link = {"result": str(body.get("result", "ok")), "nonce": str(body.get("nonce", ""))}
        known = self._channel.link_tokens.pop(str(body.get("linkToken", "")), None)
        late = known is not None and known[1] < self._sandbox.clock.now_ms()
        if late or (known is not None and known[0] != self._user.user_id):
            link["result"] = "failed"
        return self._emit("accountLink", answerable=True, link=link)

    def unsend(self, body: Json) -> Done:
        """Take a message back."""
        unsend = {"messageId": str(body.get("messageId", ""))}
        return self._emit("unsend", answerable=False, unsend=unsend)

    def raw(self, body: Json) -> Done:
        """Send any event: `event` holds its type and own fields."""
        fields = {**body["event"]} if isinstance(body.get("event"), dict) else {}
        kind = str(fields.pop("type", "somethingNew"))
        return self._emit(kind, answerable=bool(body.get("answerable")), **fields)

    def tap(self, body: Json) -> Done:
        """Tap a button: what follows depends on its action object."""
        action = body.get("action")
        if not isinstance(action, dict):
            raise ActionRefused(400, "action is missing")
        kind = action.get("type")
        if kind == "uri":
            return Done(extra={"openUri": action.get("uri")})
        if kind == "clipboard":
            return Done(extra={"clipboard": action.get("clipboardText")})
        if kind == "message":
            return self.text({"text": action.get("text")})
        if kind == "richmenuswitch":
            return self._switch_menu(action)
        if kind in ("postback", "datetimepicker"):
            return self.postback({**action, "params": body.get("params")})
        return Done()

    def _switch_menu(self, action: Json) -> Done:
        alias = str(action.get("richMenuAliasId"))
        menu_id = self._channel.menus.aliases.get(alias)
        status = "SUCCESS" if menu_id in self._channel.menus.menus else "RICHMENU_NOTFOUND"
        status = "RICHMENU_ALIAS_ID_NOTFOUND" if menu_id is None else status
        if status == "SUCCESS":
            self._user.linked_menu_id = menu_id
            phones.publish_menus(self._sandbox, self._channel)
        params = {"newRichMenuAliasId": alias, "status": status}
        return self.postback({"data": action.get("data", ""), "params": params})

    def _befriend(self, *, is_unblocked: bool) -> Done:
        self._user.state, self._user.followed_at = "friend", self._sandbox.clock.now_ms()
        phones.publish_user(self._sandbox, self._user)
        return self._emit("follow", answerable=True, follow={"isUnblocked": is_unblocked})

    def _say(self, message: Json) -> None:
        now = self._sandbox.clock.now_ms()
        self._user.last_message_at = now
        entry = {
            "id": self._sandbox.ids.message_id(),
            "from": "user",
            "at": now,
            "object": message,
            "silent": False,
            "requestId": None,
            "deliveryKind": None,
        }
        if self._sandbox.config["ledger"] != "summary":
            self._user.remember([entry])
        self._sandbox.feed.publish(self._user.user_id, "message", entry)

    def _emit(self, kind: str, *, answerable: bool, **fields: Any) -> Done:
        event = events.build(self._sandbox, self._channel, self._user, kind, answerable=answerable, **fields)
        return Done(event, answered=self._channel.dispatcher.emit(event, wait=self._wait))


@cache
def _photo() -> bytes:
    """A picture of ours: sky above, land below."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (640, 480), "#9cc3e6")
    ImageDraw.Draw(image).rectangle((0, 300, 640, 480), fill="#6a8f4e")
    written = io.BytesIO()
    image.save(written, format="JPEG")
    return written.getvalue()


def _picture(body: Json) -> bytes:
    if "content" not in body:
        return _photo()
    try:
        picture = base64.b64decode(str(body["content"]), validate=True)
    except ValueError:
        raise ActionRefused(400, "content must be base64") from None
    if not 0 < len(picture) <= LARGEST_PHOTO:
        raise ActionRefused(400, f"content must be 1 to {LARGEST_PHOTO} bytes")
    return picture


def _without(content: Json, *names: str) -> Json:
    return {name: value for name, value in content.items() if name not in names}


_ACTIONS: dict[str, Callable[[Phone, Json], Done]] = {
    "follow": Phone.follow,
    "block": Phone.block,
    "unblock": Phone.unblock,
    "deleteAccount": Phone.delete_account,
    "openChat": Phone.open_chat,
    "text": Phone.text,
    "sticker": Phone.sticker,
    "image": Phone.image,
    "location": Phone.location,
    "postback": Phone.postback,
    "datetime": Phone.postback,
    "accountLink": Phone.account_link,
    "unsend": Phone.unsend,
    "raw": Phone.raw,
    **dict.fromkeys(_TAPS, Phone.tap),
}
