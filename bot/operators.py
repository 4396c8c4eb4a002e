"""How operators are told of alarms: by mail and by webhook, as the settings say.

What speaks to the outside is imported when there is something to tell: most commands tell nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from bot.settings import Settings
from scheduler.town_context import OperatorMessage


class NobodyTold(Exception):
    """Neither mail nor webhook took the message."""


def operator_teller(settings: Settings) -> Callable[[OperatorMessage], Awaitable[None]] | None:
    """None when the settings name nobody."""
    ways: list[Callable[[OperatorMessage], Awaitable[None]]] = []
    if settings.alarms.mail_addresses and settings.mail.smtp_url.get_secret_value():
        ways.append(lambda message: _mail(settings, message))
    if settings.alarms.webhook_url.get_secret_value():
        ways.append(lambda message: _post(settings, message))
    if not ways:
        return None

    async def tell(message: OperatorMessage) -> None:
        """By every way; one that works is enough. Raises NobodyTold."""
        results = await asyncio.gather(*(way(message) for way in ways), return_exceptions=True)
        if all(isinstance(item, BaseException) for item in results):
            raise NobodyTold(", ".join(type(item).__name__ for item in results))

    return tell


async def _mail(settings: Settings, message: OperatorMessage) -> None:
    from channels.mail.plain import send_plain

    await send_plain(
        settings.mail.smtp_url.get_secret_value(),
        sender=settings.mail.sender,
        to=settings.alarms.mail_addresses,
        subject=message.subject,
        body=message.body,
    )


async def _post(settings: Settings, message: OperatorMessage) -> None:
    """`text` is what chat services show; `code` and `ended` are for machines."""
    from channels.http import HttpClient

    client = HttpClient()
    body = {"text": f"{message.subject}\n{message.body}", "code": message.code, "ended": message.ended}
    try:
        answer = await client.request(
            "POST",
            settings.alarms.webhook_url.get_secret_value(),
            headers={"Content-Type": "application/json"},
            body=json.dumps(body, ensure_ascii=False).encode(),
        )
    finally:
        await client.close()
    if not 200 <= answer.status < 300:
        raise OSError(f"the webhook of the operators answered {answer.status}")
