"""Residents with phones, and what the town knows of them.

SATO is 78 and reads Japanese slowly, ABE has a baby, MARIA reads English.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from pydantic import SecretStr
from sqlalchemy import func, select

from bot.line.handling import Desk, handle_waiting
from bot.line.webhook import PATH
from bot.service import Service
from bot.settings import LineSettings, Settings
from channels.line.api import LineApi
from content.register import subscribers
from content.register.inbound_events import inbound_event
from content.register.subscribers import Subscriber, registration_event
from sandbox.line import LineSandbox
from sandbox.line.actions import Phone
from tests.factories import SHIBATA

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
TOKEN = "token-of-the-village"
SATO, ABE, MARIA, STRANGER = ("U" + digit * 32 for digit in "1234")
Json = dict[str, Any]


def settings_for(folder: Path, line_origin: str) -> Settings:
    line = LineSettings(
        api_base=line_origin, channel_secret=SecretStr(SECRET), channel_token=SecretStr(TOKEN)
    )
    return Settings(town=SHIBATA, secret_key_file=folder / "secret.key", line=line)


def sign(raw: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


def event(kind: str, at: int, user_id: str = SATO, **fields: Any) -> Json:
    """An event as LINE writes it, without a reply token."""
    return {
        "type": kind,
        "mode": "active",
        "timestamp": at,
        "source": {"type": "user", "userId": user_id},
        "webhookEventId": hashlib.sha256(f"{kind} {at} {user_id}".encode()).hexdigest()[:26].upper(),
        "deliveryContext": {"isRedelivery": False},
        **fields,
    }


def follow(at: int, user_id: str = SATO) -> Json:
    return event("follow", at, user_id, follow={"isUnblocked": False})


def unfollow(at: int, user_id: str = SATO) -> Json:
    return event("unfollow", at, user_id)


def tapped(at: int, data: str, user_id: str = SATO) -> Json:
    return event("postback", at, user_id, postback={"data": data})


@dataclass
class Village:
    service: Service
    api: LineApi
    platform: LineSandbox
    origin: str
    session: ClientSession
    desk: Desk = field(default_factory=Desk)

    def __post_init__(self) -> None:
        people = ((SATO, "佐藤", "ja"), (ABE, "阿部", "ja"), (MARIA, "Maria", "en"))
        for user_id, name, language in people:
            self.platform.channel.users.add(user_id, name, language, "none", 0)

    async def act(self, user_id: str, kind: str, **details: Any) -> list[Json]:
        """Something a person does on the phone; the messages that answer it."""
        before = len(self.chat(user_id))
        user = self.platform.channel.users.by_id[user_id]
        phone = Phone(self.platform, self.platform.channel, user, wait=True)
        done = phone.act({"type": kind, **details})
        if done.answered is not None:
            assert (await done.answered).status == 200
        await self.handle()
        return self.chat(user_id)[before:]

    async def tap(self, user_id: str, words: str) -> list[Json]:
        """Press the newest button whose label holds the words."""
        for action in self.buttons(user_id):
            if words in action["label"]:
                return await self.act(user_id, "tapButton", action=action)
        raise LookupError(f"no button {words}")

    def buttons(self, user_id: str) -> Iterator[Json]:
        for message in reversed(self.chat(user_id)):
            yield from actions(message)

    def chat(self, user_id: str) -> list[Json]:
        """What the town wrote to a person, oldest first."""
        history = self.platform.channel.users.by_id[user_id].history or []
        return [entry["object"] for entry in history if entry["from"] == "bot"]

    async def handle(self) -> int:
        handled = 0
        while number := await handle_waiting(self.service, self.api, self.desk):
            handled += number
        return handled

    async def post(self, *events: Json, signature: str | None = None) -> int:
        """A webhook as LINE sends it; the status of the answer."""
        return await self.post_raw(
            json.dumps({"destination": STRANGER, "events": events}).encode(), signature
        )

    async def post_raw(self, raw: bytes, signature: str | None = None) -> int:
        headers = {"X-Line-Signature": sign(raw) if signature is None else signature}
        async with self.session.post(self.origin + PATH, data=raw, headers=headers) as answer:
            return answer.status

    async def registration(self, user_id: str) -> Subscriber | None:
        async with self.service.database.read() as connection:
            found = await subscribers.find(connection, self.service.keys, "line", "line", user_id)
            return await subscribers.get(connection, found) if found else None

    async def preferences(self, user_id: str) -> subscribers.Preferences:
        found = await self.registration(user_id)
        assert found is not None
        return found.preferences

    async def history(self, user_id: str) -> list[str]:
        """The registration events of a person, in order."""
        found = await self.registration(user_id)
        assert found is not None
        wanted = select(registration_event.c.kind).where(registration_event.c.subscriber_id == found.id)
        async with self.service.database.read() as connection:
            return list(await connection.scalars(wanted.order_by(registration_event.c.id)))

    async def stored(self, state: str | None = None) -> int:
        """How many events the inbox holds."""
        query = select(func.count()).select_from(inbound_event)
        if state:
            query = query.where(inbound_event.c.state == state)
        async with self.service.database.read() as connection:
            return int(await connection.scalar(query) or 0)


def actions(part: Any) -> Iterator[Json]:
    """Every action inside a message, in reading order."""
    if isinstance(part, dict):
        if isinstance(part.get("action"), dict):
            yield part["action"]
        part = list(part.values())
    if isinstance(part, list):
        for value in part:
            yield from actions(value)


def words_of(part: Any) -> str:
    """Every word of a message that a person can read or hear, in order, one blank between."""
    return " ".join(" ".join(_texts(part)).split())


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (part[name] for name in ("altText", "text", "label") if isinstance(part.get(name), str))
        part = list(part.values())
    if isinstance(part, list):
        for value in part:
            yield from _texts(value)
