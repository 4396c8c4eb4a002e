"""What a bot asks of groups and rooms, and how it leaves. Messaging API reference, #get-group-summary and those after it."""

from __future__ import annotations

from sandbox.line.call import Call, Handler
from sandbox.line.chats import CHAT_ID, Chat
from sandbox.line.errors import ApiError, Json, Reply, invalid_parameter, not_found
from sandbox.line.ids import USER_ID
from sandbox.line.paging import next_token, start_of

PAGE = 100


def summary(call: Call) -> Reply:
    chat = _chat(call, "group")
    return Reply(body={"groupId": chat.chat_id, "groupName": chat.name})


def count(kind: str) -> Handler:
    """Without the bot."""

    def answer(call: Call) -> Reply:
        return Reply(body={"count": len(_chat(call, kind).members)})

    return answer


def member_ids(kind: str) -> Handler:
    """Page by page; for verified and premium accounts only."""

    def answer(call: Call) -> Reply:
        chat = _chat(call, kind)
        if call.channel.account_type == "unverified":
            raise ApiError(403, "Access to this API is not available for your account")
        start = start_of(call, chat.chat_id)
        page = chat.members[start : start + PAGE]
        body: Json = {"memberIds": page}
        if start + PAGE < len(chat.members):
            body["next"] = next_token(call, chat.chat_id, start + PAGE)
        return Reply(body=body)

    return answer


def member(kind: str) -> Handler:
    """Also of one who is no friend, as long as she is a member; without a language."""

    def answer(call: Call) -> Reply:
        chat, user_id = _chat(call, kind), call.params["userId"]
        if not USER_ID.match(user_id):
            raise invalid_parameter("userId")
        user = call.channel.users.get(user_id)
        if user is None or user_id not in chat.members:
            raise not_found()
        return Reply(body={"displayName": user.display_name, "userId": user.user_id})

    return answer


def leave(kind: str) -> Handler:
    """The bot goes; LINE sends no event of it."""

    def answer(call: Call) -> Reply:
        _chat(call, kind).has_bot = False
        return Reply()

    return answer


def _chat(call: Call, kind: str) -> Chat:
    chat_id = call.params[f"{kind}Id"]
    if not CHAT_ID.fullmatch(chat_id):
        raise invalid_parameter(f"{kind}Id")
    chat = call.channel.chats.get(chat_id)
    if chat is None or chat.kind != kind or not chat.has_bot:
        raise not_found()
    return chat
