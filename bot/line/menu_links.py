"""The menu of those who read another language than Japanese: LINE keeps one for each of them, since the tile with the
language gave it to them. In a disaster they too get the menu of a disaster, and theirs again afterwards.
"""

from __future__ import annotations

from functools import partial

from bot.line.rich_menu import FIRST_LANGUAGE, our_menus, shown_languages
from bot.service import Service
from channels.line.api import LineApi
from content.notices.chat_menu import ChatMenu
from content.register.address_book import open_addresses
from content.register.readers import readers_of

# What LINE takes at once.
TOGETHER = 500


async def link_by_language(service: Service, api: LineApi, account: str, shown: ChatMenu) -> int:
    """Give each of them the menu that is to be shown; how many. Raises ChannelError."""
    menus = await our_menus(api)
    linked = 0
    for language in shown_languages(service.town):
        kind = shown if shown == ChatMenu.DISASTER else language.replace("-", "_")
        if language == FIRST_LANGUAGE or kind not in menus:
            continue
        after, more = 0, True
        while more:
            async with service.database.read() as connection:
                numbers = await readers_of(connection, account, language, after=after, most=TOGETHER)
            more = len(numbers) == TOGETHER
            after = numbers[-1] if numbers else after
            linked += await _link(service, api, account, menus[kind], numbers)
    return linked


async def _link(service: Service, api: LineApi, account: str, menu_id: str, numbers: list[int]) -> int:
    opened = await service.database.read_step(
        partial(open_addresses, keys=service.keys, account=account, subscriber_ids=numbers)
    )
    user_ids = [clear for clear, _ in opened.clear.values() if clear]
    if user_ids:
        await api.link_rich_menu(menu_id, user_ids)
    return len(user_ids)
