"""A code that a member of staff types to the town's account: her LINE becomes a trial address. It registers nobody."""

from __future__ import annotations

import unicodedata

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.line import bubbles
from bot.line.bubbles import Message
from bot.line.events import ResidentEvent
from content.clock import now_ms
from content.keys import Keys
from content.register.trial_addresses import AddressRefused
from scheduler import trial_addressing

ADDED = (
    "試し送り先に登録しました。「自分に試し送り」をすると、お知らせが【試験】の印付きでここに届きます。"
    "公式アカウントを友だちに追加していないと届きません。住民としてのお知らせの設定は変わりません。"
)


async def take_code(
    connection: AsyncConnection, keys: Keys, account: str, resident_event: ResidentEvent
) -> list[Message]:
    """What she is told; [] when the text is no such code."""
    try:
        found = await trial_addressing.confirm(
            connection,
            keys,
            unicodedata.normalize("NFKC", resident_event.text),
            "line",
            account=account,
            plain=resident_event.user_id,
            at=now_ms(),
        )
    except AddressRefused as refused:
        return [bubbles.text_message(str(refused))]
    return [bubbles.text_message(ADDED)] if found else []
