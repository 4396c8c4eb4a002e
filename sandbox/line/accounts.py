"""Users and the bot itself. LINE Messaging API reference, #get-profile, #get-follower-ids, #get-bot-info."""

from __future__ import annotations

from typing import Any

from sandbox.line.call import Call
from sandbox.line.errors import ApiError, Json, Reply, invalid_parameter, invalid_property, not_found
from sandbox.line.ids import USER_ID
from sandbox.line.paging import limit_of, next_token, start_of
from sandbox.line.users import User

_PAGE = 1000
LINK_TOKEN_MS = 10 * 60_000


def user_of(call: Call) -> str:
    """The user id of the path. Raises 400 for a malformed one."""
    user_id = call.params["userId"]
    if not USER_ID.match(user_id):
        raise invalid_parameter("userId")
    return user_id


def profile(call: Call) -> Reply:
    """Name and language of a friend, or of someone who wrote and did not block."""
    user = call.channel.users.get(user_of(call))
    if user is None or not _visible(user):
        raise not_found()
    return Reply(body={"displayName": user.display_name, "userId": user.user_id, "language": user.language})


def followers(call: Call) -> Reply:
    """Ids of friends, page by page; for verified and premium accounts only."""
    if call.channel.account_type == "unverified":
        raise ApiError(403, "Access to this API is not available for your account")
    limit, start = limit_of(call, 300, _PAGE), start_of(call, "followers")
    everyone = call.channel.users.all
    page: list[str] = []
    position = start
    while position < len(everyone) and len(page) < limit:
        if everyone[position].state == "friend":
            page.append(everyone[position].user_id)
        position += 1
    body: Json = {"userIds": page}
    if any(user.state == "friend" for user in everyone[position:]):
        body["next"] = next_token(call, "followers", position)
    return Reply(body=body)


def bot_info(call: Call) -> Reply:
    """The bot's own id and names."""
    channel = call.channel
    return Reply(
        body={
            "userId": channel.bot_user_id,
            "basicId": channel.basic_id,
            "displayName": channel.name,
            "chatMode": "bot",
            "markAsReadMode": "auto",
        }
    )


def link_token(call: Call) -> Reply:
    """A token for account linking: one use, 10 minutes. #issue-link-token."""
    user_id = user_of(call)
    if call.channel.users.get(user_id) is None:
        raise not_found()
    token = call.sandbox.ids.alnum(32)
    call.channel.link_tokens[token] = (user_id, call.now_ms + LINK_TOKEN_MS)
    return Reply(body={"linkToken": token})


def loading(call: Call) -> Reply:
    """The dots that show that an answer is being written. #display-a-loading-indicator."""
    chat_id = call.body["chatId"]
    if not USER_ID.match(chat_id):
        raise ApiError(400, "The value for the 'chatId' parameter is invalid")
    seconds: Any = call.body.get("loadingSeconds") or 20
    call.sandbox.feed.publish(chat_id, "typing", {"seconds": seconds})
    return Reply(202)


def mark_as_read(call: Call) -> Reply:
    """By a user's id, as partners do; the phones show no read marks of the bot."""
    if call.channel.users.get(call.body["chat"]["userId"]) is None:
        raise invalid_property("chat.userId")
    return Reply()


def mark_as_read_by_token(call: Call) -> Reply:
    """By the token of a message that came to this bot. Messaging API reference, #mark-as-read."""
    if call.body["markAsReadToken"] not in call.channel.read_tokens:
        raise invalid_property("markAsReadToken")
    return Reply()


def _visible(user: User) -> bool:
    return user.state == "friend" or (user.state == "none" and user.last_message_at is not None)
