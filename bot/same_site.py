"""Whether a form was sent from one of our own pages, for the console and for residents alike."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from bot.service import Service


def comes_from_here(request: web.Request, service: Service) -> bool:
    """False when the browser says that another site made it send this request."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    # Behind a reverse proxy the host may be rewritten, so the public address counts as well.
    if origin is None:
        return True
    host = urlsplit(origin).netloc
    return bool(host) and host in (request.host, urlsplit(service.settings.public_url).netloc)
