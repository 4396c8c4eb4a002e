"""The smallest control API that the phone pages can stand on: it remembers what was tapped."""

import asyncio
import contextlib
import itertools
import json
from typing import Any

from aiohttp import web

START_MS = 1_776_733_200_000  # 2026-04-21 10:00 in Japan, a Tuesday


class FakeSandbox:
    """Users, their chats and their actions; `deliver` puts a message on a phone."""

    def __init__(self, *names: str, state: str = "friend") -> None:
        self.users: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.actions: list[tuple[str, dict[str, Any]]] = []
        self.menu: dict[str, Any] | None = None
        self.refusal: str | None = None
        self.answer: dict[str, Any] = {}
        self.states_asked = 0
        self.states_go = asyncio.Event()
        self.states_go.set()
        self._streams: dict[str, list[asyncio.Queue[tuple[str, Any] | None]]] = {}
        self._numbers = itertools.count(1)
        for name in names:
            self.add(name, state)

    def add(self, name: str, state: str = "friend", language: str = "ja") -> str:
        user_id = f"U{len(self.users) + 1:032x}"
        self.users[user_id] = {
            "userId": user_id,
            "displayName": name,
            "language": language,
            "state": state,
            "muted": False,
            "linkedRichMenuId": None,
            "unread": 0,
        }
        self.messages[user_id] = []
        return user_id

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/_sandbox/users", self._list)
        app.router.add_post("/_sandbox/users", self._create)
        app.router.add_patch("/_sandbox/users/{id}", self._change)
        app.router.add_post("/_sandbox/users/{id}/actions", self._act)
        app.router.add_get("/_sandbox/phone/{id}/state.json", self._state)
        app.router.add_get("/_sandbox/phone/{id}/events", self._events)
        app.on_shutdown.append(self._shut_down)

    def deliver(self, user_id: str, message: dict[str, Any], *, silent: bool = False) -> None:
        """A message of the town arrives on the phone."""
        entry = {"silent": silent, "requestId": "5b0e-request", "deliveryKind": "multicast"}
        self._say(user_id, "bot", message, entry)

    def emit(self, user_id: str, event: str, data: Any) -> None:
        for queue in self._streams.get(user_id, []):
            queue.put_nowait((event, data))

    def hang_up(self) -> None:
        """End all streams, as a server that goes away does."""
        for queue in itertools.chain(*self._streams.values()):
            queue.put_nowait(None)

    def acts(self, *types: str) -> list[dict[str, Any]]:
        """The actions that arrived, of these types, in order."""
        return [action for _, action in self.actions if action["type"] in types]

    def _say(self, user_id: str, who: str, message: dict[str, Any], more: dict[str, Any]) -> None:
        number = next(self._numbers)
        entry = {"id": f"m{number}", "from": who, "at": START_MS + number * 60_000, "object": message, **more}
        self.messages[user_id].append(entry)
        self.emit(user_id, "message", entry)

    async def _list(self, request: web.Request) -> web.Response:
        wanted = request.query.get("q", "")
        users = [user for user in self.users.values() if wanted in user["displayName"]]
        return web.json_response({"users": users, "total": len(users)})

    async def _create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        for user_id, name in zip(asked["userIds"], asked["displayNames"], strict=True):
            made = self.add(name, asked["state"], asked["language"])
            self.users[user_id] = {**self.users.pop(made), "userId": user_id}
            self.messages[user_id] = self.messages.pop(made)
        return web.json_response({})

    async def _change(self, request: web.Request) -> web.Response:
        user = self.users[request.match_info["id"]]
        user.update(await request.json())
        self.emit(user["userId"], "user", user)
        return web.json_response(user)

    async def _act(self, request: web.Request) -> web.Response:
        user_id, action = request.match_info["id"], await request.json()
        self.actions.append((user_id, action))
        if self.refusal:
            return web.json_response({"message": self.refusal}, status=409)
        states = {"follow": "friend", "block": "blocked", "unblock": "friend", "deleteAccount": "deleted"}
        if action["type"] in states:
            self.users[user_id]["state"] = states[action["type"]]
            self.emit(user_id, "user", self.users[user_id])
        said = action.get("text") or action.get("action", {}).get("displayText")
        if said:
            more = {"silent": False, "requestId": None, "deliveryKind": None}
            self._say(user_id, "user", {"type": "text", "text": said}, more)
        return web.json_response({"ok": True, "event": {}, **self.answer})

    async def _state(self, request: web.Request) -> web.Response:
        user = self.users.get(request.match_info["id"])
        if user is None:
            return web.json_response({"message": "Not found"}, status=404)
        bot = {"displayName": "しばた町", "basicId": "@shibata", "userId": "U0"}
        messages = list(self.messages[user["userId"]])
        self.states_asked += 1
        await self.states_go.wait()
        return web.json_response(
            {"user": user, "bot": bot, "messages": messages, "richMenu": self.menu, "unread": 0}
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        user_id = request.match_info["id"]
        if user_id not in self.users:
            raise web.HTTPNotFound
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()
        self._streams.setdefault(user_id, []).append(queue)
        await response.write(b": open\n\n")
        with contextlib.suppress(ConnectionResetError):
            while (item := await queue.get()) is not None:
                event, data = item
                await response.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
        return response

    async def _shut_down(self, app: web.Application) -> None:
        self.hang_up()
