"""How to join: the links for LINE and mail, and their QR codes for the page and for posters on the wall."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from bot.line.friend_link import FRIEND_LINK
from bot.pages import service_of
from bot.qr_codes import qr_code
from bot.resident.subscribe import mail_account


@dataclass(frozen=True, slots=True)
class WayIn:
    """`link` "" while LINE has not told the account's own name; `code` is the QR code of the link as SVG."""

    link: str
    code: Markup


@dataclass(frozen=True, slots=True)
class WaysIn:
    """None for a channel that the town does not offer."""

    line: WayIn | None
    mail: WayIn | None


def ways_in(request: web.Request) -> WaysIn:
    service = service_of(request)
    by_line = service.town.live_account("line") is not None
    return WaysIn(
        line=_way(request.app[FRIEND_LINK].address) if by_line else None,
        mail=_way(f"{service.settings.public_url}/subscribe") if mail_account(service) else None,
    )


def _way(link: str) -> WayIn:
    if not link:
        return WayIn("", Markup(""))
    return WayIn(link, qr_code(link))
