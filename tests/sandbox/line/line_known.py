"""A sandbox with something of everything in it, and the names of what is there, as requests call them."""

from __future__ import annotations

from typing import Any

from sandbox.line import LineSandbox
from sandbox.line.audience_group import AudienceGroup
from sandbox.line.chats import Chat
from sandbox.line.richmenus import RichMenu
from sandbox.line.state import Job
from tests.sandbox.line.line_town import EVENING, GRANDMOTHER, PARENT, TOKEN, text

MENU = "richmenu-" + "a" * 32
GROUP, ROOM = "C" + "4" * 32, "R" + "5" * 32
REQUEST, AUDIENCE, PICTURE = "5b59509c-c57b-11e9-aa8c-2a2ae2dbcce4", 10_000_000_001, "400000000000000001"
PAGE = "2000000001-abcdefgh"
DRAWING = {"size": {"width": 800, "height": 270}, "selected": True, "name": "平常時", "chatBarText": "町"}

Known = dict[str, dict[str, Any]]


async def known_in(sandbox: LineSandbox) -> Known:
    """Begin anew. Of path, query and body: names of fields and what they may say; None: better left out."""
    await sandbox.reset(1)
    sandbox.clock.set(now_ms=EVENING)
    sandbox.config.change({"rate.off": True})
    channel = sandbox.channel
    for user_id, name in ((PARENT, "佐藤 美咲"), (GRANDMOTHER, "鈴木 和子")):
        channel.users.add(user_id, name, "ja", "friend", EVENING).linked_menu_id = MENU
    channel.menus.menus[MENU] = RichMenu(MENU, {**DRAWING, "areas": []}, b"\x89PNG", "image/png")
    channel.menus.aliases["daily"] = channel.menus.default_id = MENU
    for chat_id, kind in ((GROUP, "group"), (ROOM, "room")):
        channel.chats[chat_id] = Chat(chat_id, kind, "第三区", [PARENT])
    channel.webhook.url = "http://127.0.0.1:9/hook"
    channel.audiences[AUDIENCE] = AudienceGroup(AUDIENCE, "保護者", EVENING, {PARENT: None})
    channel.jobs[REQUEST] = Job("waiting", EVENING)
    channel.menu_jobs[REQUEST] = Job("ongoing", EVENING)
    channel.liff_apps[PAGE] = {"liffId": PAGE, "view": {"type": "full", "url": "https://town.example.jp/"}}
    channel.contents[PICTURE] = b"\xff\xd8"
    channel.read_tokens["read"] = None
    channel.reply_tokens.issue("reply", PARENT, EVENING)
    sandbox.tokens.add_long_lived("another", channel.channel_id)
    path = {
        "userId": PARENT,
        "groupId": GROUP,
        "roomId": ROOM,
        "richMenuId": MENU,
        "richMenuAliasId": "daily",
        "messageId": PICTURE,
        "audienceGroupId": AUDIENCE,
        "liffId": PAGE,
    }
    query = {
        "requestId": REQUEST,
        "date": "20260420",
        "from": "20260401",
        "to": "20260420",
        "access_token": TOKEN,
        "page": 1,
        "start": None,
    }
    body = {
        **path,
        "richMenuAliasId": "weekly",
        "to": [PARENT],
        "messages": [text()],
        "replyToken": "reply",
        "markAsReadToken": "read",
        "chat": {"userId": PARENT},
        "chatId": PARENT,
        "userIds": [PARENT],
        "audiences": [{"id": PARENT}],
        "recipient": None,
        "filter": None,
        "description": "保護者",
        "uploadDescription": "四月",
        "isIfaAudience": None,
        "endpoint": channel.webhook.url,
        "areas": [],
        **DRAWING,
        "operations": [{"type": "unlinkAll"}],
        "view": {"type": "tall", "url": "https://town.example.jp/"},
        "permanentLinkPattern": "concat",
        "access_token": "another",
        "grant_type": "client_credentials",
        "client_id": channel.channel_id,
        "client_secret": channel.secret,
    }
    return {"path_parameters": path, "query": query, "body": body}
