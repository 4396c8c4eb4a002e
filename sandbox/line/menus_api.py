"""Rich menu endpoints. LINE Messaging API reference, #create-rich-menu and after."""

from __future__ import annotations

from typing import Any

from sandbox.line.accounts import user_of
from sandbox.line.call import Call
from sandbox.line.errors import ApiError, Reply, invalid_property, not_found
from sandbox.line.ids import USER_ID
from sandbox.line.phones import publish_menus
from sandbox.line.richmenus import IMAGE_BYTES, MENU_LIMIT, RichMenu, image_size

_IMAGE_TYPES = ("image/png", "image/jpeg")


def create(call: Call) -> Reply:
    """Store a menu; it needs an image before it can be shown."""
    menus = call.channel.menus.menus
    if len(menus) >= MENU_LIMIT:
        raise ApiError(400, "exceed the rich menu count limit")
    menu = RichMenu(f"richmenu-{call.sandbox.ids.hex32()}", call.body)
    menus[menu.menu_id] = menu
    return Reply(body={"richMenuId": menu.menu_id})


def validate(call: Call) -> Reply:
    """The object passed the checks; nothing is stored."""
    del call
    return Reply()


def get(call: Call) -> Reply:
    """One menu."""
    return Reply(body=_menu(call).public())


def delete(call: Call) -> Reply:
    """Remove a menu; phones that showed it fall back to the default one."""
    call.channel.menus.remove(_menu(call).menu_id)
    publish_menus(call.sandbox, call.channel)
    return Reply()


def list_all(call: Call) -> Reply:
    """Every menu."""
    return Reply(body={"richmenus": [menu.public() for menu in call.channel.menus.menus.values()]})


def upload(call: Call) -> Reply:
    """The picture of a menu, once: JPEG or PNG, 1 MB at most, in the size of the menu."""
    menu = _menu(call)
    content_type = call.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if content_type not in _IMAGE_TYPES:
        raise ApiError(415, f"The content type, {content_type}, is not supported")
    if menu.image is not None:
        raise ApiError(400, "An image has already been uploaded to the richmenu")
    if len(call.raw) > IMAGE_BYTES:
        raise ApiError(413, "Payload Too Large")
    size = image_size(call.raw, content_type)
    wanted = menu.definition["size"]
    if size != (wanted["width"], wanted["height"]):
        raise ApiError(400, "The image size is not the size of the richmenu")
    menu.image, menu.image_type = call.raw, content_type
    return Reply()


def download(call: Call) -> Reply:
    """The picture as it was uploaded."""
    menu = _menu(call)
    if menu.image is None:
        raise not_found()
    return Reply(body=menu.image, content_type=menu.image_type)


def set_default(call: Call) -> Reply:
    """Show a menu to everyone who has no own one."""
    call.channel.menus.default_id = shown(call, call.params["richMenuId"]).menu_id
    publish_menus(call.sandbox, call.channel)
    return Reply()


def get_default(call: Call) -> Reply:
    """The id of the default menu."""
    if call.channel.menus.default_id is None:
        raise not_found("no default richmenu")
    return Reply(body={"richMenuId": call.channel.menus.default_id})


def clear_default(call: Call) -> Reply:
    """No default menu any more."""
    call.channel.menus.default_id = None
    publish_menus(call.sandbox, call.channel)
    return Reply()


def get_linked(call: Call) -> Reply:
    """The id of a user's own menu."""
    user = call.channel.users.get(user_of(call))
    if user is None or user.linked_menu_id not in call.channel.menus.menus:
        raise not_found("the user has no richmenu")
    return Reply(body={"richMenuId": user.linked_menu_id})


def link(call: Call) -> Reply:
    """Give one user a menu; without effect for people who are no friends."""
    user_id = user_of(call)
    _relink(call, [user_id], shown(call, call.params["richMenuId"]).menu_id)
    return Reply()


def unlink(call: Call) -> Reply:
    """Take one user's own menu away."""
    _relink(call, [user_of(call)], None)
    return Reply()


def bulk_link(call: Call) -> Reply:
    """Give up to 500 users a menu, some seconds later."""
    menu = shown(call, call.body["richMenuId"])
    call.sandbox.spawn(_relink_later(call, _ids(call), menu.menu_id))
    return Reply(202)


def bulk_unlink(call: Call) -> Reply:
    """Take up to 500 users' own menus away, some seconds later."""
    call.sandbox.spawn(_relink_later(call, _ids(call), None))
    return Reply(202)


def shown(call: Call, menu_id: Any) -> RichMenu:
    """A menu that is ready to be applied. Raises 404, or 400 when its image is missing."""
    menu = call.channel.menus.menus.get(menu_id)
    if menu is None:
        raise not_found()
    if menu.image is None:
        raise ApiError(400, "must upload richmenu image before applying it to user")
    return menu


async def _relink_later(call: Call, user_ids: list[str], menu_id: str | None) -> None:
    await call.sandbox.clock.sleep(call.sandbox.config["menu.bulkDelay"])
    _relink(call, user_ids, menu_id)


def _relink(call: Call, user_ids: list[str], menu_id: str | None) -> None:
    for user_id in user_ids:
        user = call.channel.users.get(user_id)
        if user is not None and user.state in ("friend", "noConsent"):
            user.linked_menu_id = menu_id
    publish_menus(call.sandbox, call.channel)


def _ids(call: Call) -> list[str]:
    ids: list[str] = call.body["userIds"]
    for position, user_id in enumerate(ids):
        if not USER_ID.match(user_id):
            raise invalid_property(f"userIds[{position}]")
    return ids


def _menu(call: Call) -> RichMenu:
    menu = call.channel.menus.menus.get(call.params["richMenuId"])
    if menu is None:
        raise not_found()
    return menu
