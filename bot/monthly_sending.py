"""How the month's counts go out by mail. What writes and sends them is imported when there is one: most commands send none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import NAMESPACE_URL, uuid5

from bot.settings import Settings
from content.staff.monthly_reports import MonthlyMail
from content.staff.rights import departments
from scheduler.town_context import TownContext


def month_sender(
    settings: Settings, context: TownContext
) -> Callable[[MonthlyMail, str], Awaitable[None]] | None:
    """None when the settings name no mail server. What speaks to the outside is imported when there is a mail."""
    if not settings.mail.smtp_url.get_secret_value():
        return None

    async def send(mail: MonthlyMail, address: str) -> None:
        from bot.monthly_mail import month_words
        from bot.service import Service
        from channels.mail.plain import send_plain

        async with context.database.read() as connection:
            owner = next(item for item in await departments(connection) if item.key == mail.department)
        subject, body = await month_words(Service(settings, context), owner, mail.month)
        # The same again after a crash: mailboxes show one.
        place = f"{settings.public_url}/monthly/{mail.month}/{mail.department}/{mail.staff_id}"
        domain = settings.mail.sender.rpartition("@")[2].strip("<> ") or "localhost"
        await send_plain(
            settings.mail.smtp_url.get_secret_value(),
            sender=settings.mail.sender,
            to=[address],
            subject=subject,
            body=body,
            message_id=f"<{uuid5(NAMESPACE_URL, place).hex}@{domain}>",
        )

    return send
