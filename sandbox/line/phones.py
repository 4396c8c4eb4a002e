"""What one phone shows: chat, bot, rich menu."""

from __future__ import annotations

from typing import Any

from sandbox.line.richmenus import RichMenu
from sandbox.line.state import Channel, LineSandbox
from sandbox.line.users import User

_USER_FIELDS = ("userId", "displayName", "language", "state", "muted", "linkedRichMenuId")


def phone_state(channel: Channel, user: User) -> dict[str, Any]:
    """Everything that a phone page draws."""
    return {
        "user": user_card(user),
        "bot": {
            "displayName": channel.name,
            "basicId": channel.basic_id,
            "userId": channel.bot_user_id,
        },
        "messages": user.history or [],
        "richMenu": menu_card(channel.menus.effective(user.linked_menu_id)),
        "unread": user.unread,
    }


def user_card(user: User) -> dict[str, Any]:
    """The fields of a user that a phone shows."""
    card = user.public()
    return {name: card[name] for name in _USER_FIELDS}


def menu_card(menu: RichMenu | None) -> dict[str, Any] | None:
    """A rich menu with the address of its picture."""
    if menu is None:
        return None
    return {**menu.public(), "imageUrl": f"/_sandbox/richmenus/{menu.menu_id}/image"}


def publish_user(sandbox: LineSandbox, user: User) -> None:
    """Tell the user's phone that the user changed."""
    sandbox.feed.publish(user.user_id, "user", user_card(user))


def publish_menus(sandbox: LineSandbox, channel: Channel) -> None:
    """Tell every open phone which menu it shows now."""
    for topic in sandbox.feed.topics():
        user = channel.users.get(topic)
        if user is not None:
            card = menu_card(channel.menus.effective(user.linked_menu_id))
            sandbox.feed.publish(topic, "richMenu", card)
