"""The sending endpoints. LINE Messaging API reference, #send-reply-message and the four after it."""

from __future__ import annotations

from sandbox.line.call import Call
from sandbox.line.chats import CHAT_ID
from sandbox.line.delivery import Audience, everyone, hand_over, resolve, resolve_one, say_in_chat
from sandbox.line.errors import ApiError, Reply


def reply(call: Call) -> Reply:
    """Answer one event; free of charge, one use per token."""
    token = call.channel.reply_tokens.find(call.body["replyToken"], call.now_ms)
    if token is None:
        raise ApiError(400, "Invalid reply token")
    token.used = True
    if CHAT_ID.fullmatch(token.user_id):
        sent = say_in_chat(call, "reply", token.user_id, counted=False)
        return Reply(body={"sentMessages": sent}, sent_messages=sent)
    user = call.channel.users.by_id[token.user_id]
    blocked = user.state in ("blocked", "deleted")
    audience = Audience(suppressed=[(user.user_id, user.state)]) if blocked else Audience([user])
    sent = hand_over(call, "reply", audience, call.body, counted=False)
    return Reply(body={"sentMessages": sent}, sent_messages=sent)


def push(call: Call) -> Reply:
    """One recipient."""
    if call.body["to"] in call.channel.chats:
        sent = say_in_chat(call, "push", call.body["to"])
        return Reply(body={"sentMessages": sent}, sent_messages=sent)
    sent = hand_over(call, "push", resolve_one(call, call.body["to"]), call.body)
    return Reply(body={"sentMessages": sent}, sent_messages=sent)


def multicast(call: Call) -> Reply:
    """Up to 500 recipients; nobody gets it unless the whole request is accepted."""
    hand_over(call, "multicast", resolve(call, call.body["to"]), call.body)
    return Reply()


def broadcast(call: Call) -> Reply:
    """Every friend."""
    hand_over(call, "broadcast", everyone(call), call.body)
    return Reply()


def validate(call: Call) -> Reply:
    """The body passed the checks; nothing is sent."""
    del call
    return Reply()
