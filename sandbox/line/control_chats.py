"""Control API: groups and rooms, who is in them and what is said there."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sandbox.line import events
from sandbox.line.chats import KINDS, Chat
from sandbox.line.control import answer, body_of, channel_of, problem, sandbox_of
from sandbox.line.errors import Json

ACTIONS = ("text", "join", "leave", "removeBot")
_WAIT_SECONDS = 30.0


async def list_chats(request: web.Request) -> web.Response:
    """`GET /_sandbox/chats`: every group and room with what was said there."""
    return answer({"chats": [chat.public() for chat in channel_of(request).chats.values()]})


async def add_chat(request: web.Request) -> web.Response:
    """`POST /_sandbox/chats {"kind", "name"?, "members": […]}`: people invite the bot, which gets a join event."""
    sandbox, channel, body = sandbox_of(request), channel_of(request), await body_of(request)
    kind, members = str(body.get("kind", "group")), body.get("members", [])
    if kind not in KINDS:
        raise problem(400, f"kind must be one of {', '.join(KINDS)}")
    if not isinstance(members, list) or not all(channel.users.get(str(one)) for one in members):
        raise problem(400, "members must be ids of users who exist")
    chat_id = KINDS[kind] + sandbox.ids.user_id()[1:]
    chat = channel.chats[chat_id] = Chat(chat_id, kind, str(body.get("name", "")), list(map(str, members)))
    event = events.build_in_chat(sandbox, channel, chat, "join", answerable=True)
    channel.dispatcher.emit(event)
    return answer(chat.public(), 201)


async def act(request: web.Request) -> web.Response:
    """`POST /_sandbox/chats/{id}/actions {"type", "userId"?, "text"?}`: one of ACTIONS; `?wait=1` waits for the bot."""
    sandbox, channel, body = sandbox_of(request), channel_of(request), await body_of(request)
    chat = channel.chats.get(request.match_info["chatId"])
    if chat is None:
        raise problem(404, "no such chat")
    kind, user_id = str(body.get("type", "")), str(body.get("userId", ""))
    if kind not in ACTIONS:
        raise problem(400, f"type must be one of {', '.join(ACTIONS)}")
    if not chat.has_bot:
        raise problem(409, "the bot is not in this chat any more")
    if kind != "removeBot" and channel.users.get(user_id) is None:
        raise problem(400, "userId must be that of a user who exists")
    if kind in ("text", "leave") and user_id not in chat.members:
        raise problem(409, "the user is not in this chat")
    fields = _fields(chat, kind, user_id, str(body.get("text", "")))
    if kind == "text":
        fields = {"message": events.text_content(sandbox, str(body.get("text", "")))}
        chat.remember([{"from": user_id, "at": sandbox.clock.now_ms(), "object": fields["message"]}])
    names = {"text": "message", "join": "memberJoined", "leave": "memberLeft", "removeBot": "leave"}
    event = events.build_in_chat(
        sandbox,
        channel,
        chat,
        names[kind],
        answerable=kind in ("text", "join"),
        user_id=user_id if kind == "text" else "",
        **fields,
    )
    if kind == "removeBot":
        chat.has_bot = False
    waited = channel.dispatcher.emit(event, wait=request.query.get("wait") == "1")
    if waited is not None:
        await asyncio.wait_for(waited, _WAIT_SECONDS)
    return answer({"event": event})


def _fields(chat: Chat, kind: str, user_id: str, text: str) -> Json:
    """Who comes and goes; a text changes nothing."""
    if kind == "join":
        if user_id not in chat.members:
            chat.members.append(user_id)
        return {"joined": {"members": [{"type": "user", "userId": user_id}]}}
    if kind == "leave":
        chat.members.remove(user_id)
        return {"left": {"members": [{"type": "user", "userId": user_id}]}}
    if kind == "text" and not text:
        raise problem(400, "text is empty")
    return {}


def add_routes(app: web.Application) -> None:
    app.router.add_get("/_sandbox/chats", list_chats)
    app.router.add_post("/_sandbox/chats", add_chat)
    app.router.add_post("/_sandbox/chats/{chatId}/actions", act)
