"""A town with a LINE account on the sandbox, and a bot server that notes what LINE sends it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web

from sandbox.line import LineSandbox, SandboxOptions
from sandbox.line.state import Channel

SECRET = "8c570fa6dd201bb328f1c1eac23a96d8"
TOKEN = "long-lived-token-of-the-town"
PARENT = "U" + "1" * 32
GRANDMOTHER = "U" + "2" * 32
NEWCOMER = "U" + "3" * 32
STRANGER = "U" + "f" * 32
KEY = "123e4567-e89b-12d3-a456-426614174000"
EVENING = 1_776_762_000_000  # 2026-04-21 18:00 in Japan, a Tuesday


def options(**changes: Any) -> SandboxOptions:
    return SandboxOptions(**{"channel_secret": SECRET, "channel_token": TOKEN, **changes})


def text(words: str = "避難してください") -> dict[str, Any]:
    return {"type": "text", "text": words}


@dataclass
class Bot:
    """The bot server: verifies signatures by itself, answers as told, keeps every event."""

    status: int = 200
    delay: float = 0.0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in body["events"]]

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/line/webhook", self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.Response:
        raw = await request.read()
        digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()
        given = request.headers.get("X-Line-Signature", "")
        if not hmac.compare_digest(base64.b64encode(digest).decode(), given):
            self.refused.append(dict(request.headers))
            return web.Response(status=401)
        self.bodies.append(json.loads(raw))
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status)


@dataclass
class Town:
    """The sandbox with its address, and the control API as a person at the keyboard uses it."""

    sandbox: LineSandbox
    origin: str
    session: ClientSession

    @property
    def channel(self) -> Channel:
        return self.sandbox.channel

    async def get(self, path: str) -> Any:
        async with self.session.get(f"{self.origin}/_sandbox/{path}") as answer:
            return await answer.json()

    async def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.session.request(method, f"{self.origin}/_sandbox/{path}", json=body or {}) as answer:
            return answer.status, await answer.json()

    async def act(self, user_id: str, kind: str, **fields: Any) -> Any:
        status, answer = await self.send("POST", f"users/{user_id}/actions?wait=1", {"type": kind, **fields})
        assert status == 200, answer
        return answer

    async def fault(self, action: Any, **fields: Any) -> None:
        status, answer = await self.send("POST", "faults", {"action": action, **fields})
        assert status == 201, answer

    async def config(self, **knobs: Any) -> None:
        changes = {name.replace("__", "."): value for name, value in knobs.items()}
        status, answer = await self.send("PUT", "config", changes)
        assert status == 200, answer

    async def channel_is(self, **changes: Any) -> None:
        status, answer = await self.send("PATCH", f"channels/{self.channel.channel_id}", changes)
        assert status == 200, answer

    async def advance(self, seconds: float) -> None:
        await self.send("POST", "clock/advance", {"seconds": seconds})
        await settle()

    async def raw(self, method: str, path: str, **request: Any) -> tuple[int, Any, dict[str, str]]:
        """A request to LINE's side without the SDK: for what the SDK would not let through."""
        headers = {"Authorization": f"Bearer {TOKEN}", **request.pop("headers", {})}
        async with self.session.request(method, self.origin + path, headers=headers, **request) as answer:
            body = await answer.read()
            lower = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, json.loads(body) if body else None, lower

    async def raw_multicast(self, to: list[str], *messages: Any, **headers: str) -> tuple[int, Any]:
        body = {"to": to, "messages": list(messages) or [text()]}
        path = "/v2/bot/message/multicast"
        status, answer, _ = await self.raw("POST", path, json=body, headers=headers)
        return status, answer

    def chat(self, user_id: str) -> list[Any]:
        """What a person sees in the chat: the message objects."""
        return [entry["object"] for entry in self.channel.users.by_id[user_id].history or []]

    def words(self, user_id: str) -> list[str]:
        return [message["text"] for message in self.chat(user_id)]


async def settle() -> None:
    """Let woken jobs do what they were waiting for."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(condition: Any, what: str = "this") -> None:
    """Wait for something that other tasks bring about."""
    for _ in range(6_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{what} did not come about")
