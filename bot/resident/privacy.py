"""What is kept about residents, why, for how long, and whom to ask."""

from __future__ import annotations

from aiohttp import web

from bot.pages import page, service_of
from bot.resident.subscribe import mail_account


async def show_privacy(request: web.Request) -> web.Response:
    service = service_of(request)
    return page(
        request,
        "resident/privacy.html",
        by_mail=mail_account(service) is not None,
        keep_days=service.settings.keep_recipients_days,
    )
