"""Shows the menu of a disaster while there is one, and the everyday one afterwards."""

from __future__ import annotations

import asyncio

import structlog

from bot.line.friend_link import FriendLink
from bot.line.menu_links import link_by_language
from bot.line.rich_menu import show
from bot.service import Service
from channels.line.api import LineApi
from content.clock import now_ms
from content.notices.chat_menu import ChatMenu, menu_now

log = structlog.get_logger(__name__)

LOOK_EVERY = 20.0


async def watch_menu(service: Service, api: LineApi, friend_link: FriendLink) -> None:
    """Look from time to time, until cancelled. At the start LINE may show either, so it is told then.

    It also tells the pages the account's own name, which nobody needs before LINE answers at all.
    """
    shown: ChatMenu | None = None
    while True:
        if service.town.live_account("line") is not None:
            await friend_link.learn(api)
        try:
            shown = await look(service, api, shown)
        except Exception as error:
            log.warning("rich_menu_failed", error=type(error).__name__)
        await asyncio.sleep(LOOK_EVERY)


async def look(service: Service, api: LineApi, shown: ChatMenu | None) -> ChatMenu | None:
    """What is shown after one look, None when the account has no menus of ours: then it is left alone."""
    account = service.town.live_account("line")
    if account is None:
        return None
    async with service.database.read() as connection:
        wanted = await menu_now(connection, account.key, now_ms())
    if wanted == shown:
        return shown
    if not await show(api, wanted):
        return None
    # Whoever changed the language by its tile has a menu of her own, which stands before the default one.
    linked = await link_by_language(service, api, account.key, wanted)
    log.info("rich_menu_shown", menu=wanted, linked=linked)
    return wanted
