"""Rich menu aliases. LINE Messaging API reference, #create-rich-menu-alias and after."""

from __future__ import annotations

from sandbox.line.call import Call
from sandbox.line.errors import ApiError, Json, Reply, not_found
from sandbox.line.richmenus import ALIAS_LIMIT


def create(call: Call) -> Reply:
    """Name a menu."""
    aliases, name = call.channel.menus.aliases, call.body["richMenuAliasId"]
    if name in aliases:
        raise ApiError(400, "conflict richmenu alias id")
    if len(aliases) >= ALIAS_LIMIT:
        raise ApiError(400, "exceed the rich menu alias count limit")
    aliases[name] = _existing_menu(call)
    return Reply()


def update(call: Call) -> Reply:
    """Let the name mean another menu."""
    name = _known(call)
    call.channel.menus.aliases[name] = _existing_menu(call)
    return Reply()


def delete(call: Call) -> Reply:
    """Forget the name."""
    del call.channel.menus.aliases[_known(call)]
    return Reply()


def get(call: Call) -> Reply:
    """What the name means."""
    return Reply(body=_public(call, _known(call)))


def list_all(call: Call) -> Reply:
    """Every name."""
    return Reply(body={"aliases": [_public(call, name) for name in call.channel.menus.aliases]})


def _public(call: Call, name: str) -> Json:
    return {"richMenuAliasId": name, "richMenuId": call.channel.menus.aliases[name]}


def _known(call: Call) -> str:
    name = call.params["richMenuAliasId"]
    if name not in call.channel.menus.aliases:
        raise not_found("richmenu alias not found")
    return name


def _existing_menu(call: Call) -> str:
    menu_id: str = call.body["richMenuId"]
    if menu_id not in call.channel.menus.menus:
        raise ApiError(400, "richmenu not found")
    return menu_id
