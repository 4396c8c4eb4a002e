"""For which address passkeys are: that of the console, where browsers allow them at all."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.service import Service
from content.staff.passkeys import RelyingParty


def party_of(service: Service) -> RelyingParty | None:
    """None for an address at which browsers have no passkeys: neither encrypted nor this very machine, or a number."""
    address = urlsplit(service.settings.public_url)
    host = address.hostname or ""
    is_here = host == "localhost" or host.endswith(".localhost")
    if not host or _is_number(host) or not (address.scheme == "https" or is_here):
        return None
    return RelyingParty(host, f"{address.scheme}://{address.netloc}", f"{service.town.name} 回覧板")


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
