"""`/signage/{key}`: the page that a display shows, and the part of it that its script asks for every few seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from bot.outlets.current import current_notices
from bot.outlets.slides import Slide, deck_name, fitting, slides
from bot.pages import STATIC, TEMPLATES, service_of
from bot.service import Service
from content.clock import DAY, to_jst
from content.notices import displays
from content.notices.displays import SEEN_NOTED_EVERY, Display

MOST = 60
# Seconds that a screen stands.
STANDS = 10
# A clock further off than this is none.
FURTHEST = 3650 * DAY


@dataclass(slots=True)
class LastSeen:
    """When each display was last written down as seen (ms)."""

    at: dict[int, int] = field(default_factory=dict)


LAST_SEEN: web.AppKey[LastSeen] = web.AppKey("displays_last_seen", LastSeen)


async def show_display(request: web.Request) -> web.Response:
    """The whole page. Without a script it shows one screen after the other by itself."""
    return await _show(request, "signage/page.html")


async def show_slides(request: web.Request) -> web.Response:
    return await _show(request, "signage/_slides.html")


async def show_worker(_: web.Request) -> web.Response:
    """Under the pages that it serves: a service worker reaches no further than its own folder."""
    response = web.Response(body=(STATIC / "signage-worker.js").read_bytes(), content_type="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


async def _show(request: web.Request, template: str) -> web.Response:
    service, key = service_of(request), request.match_info["key"]
    now = service.database.now()
    async with service.database.read() as connection:
        display = await displays.find_by_key(connection, key)
        if display is None:
            return _rendered(request, "signage/gone.html", status=404)
        found = await current_notices(service, connection, limit=MOST)
    await _note(request, service, display, now)
    chosen = fitting(service.town, display, found, now)
    shown = slides(display, chosen, now)
    number = _number(request.query.get("n", ""), len(shown))
    return _rendered(
        request,
        template,
        key=key,
        display=display,
        slides=shown,
        deck=deck_name(shown),
        first=number,
        next=number % max(1, len(shown)) + 1,
        urgent=_is_urgent(shown),
        asked=f"{to_jst(now):%H:%M}",
        stands=STANDS,
    )


def _is_urgent(shown: list[Slide]) -> bool:
    return bool(shown) and shown[0].urgent


def _number(typed: str, most: int) -> int:
    """Which screen, from 1; the first for whatever is none."""
    wanted = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 1
    return wanted if 1 <= wanted <= most else 1


async def _note(request: web.Request, service: Service, display: Display, now: int) -> None:
    """That it lives, at most once a minute, and how its clock goes."""
    seen = request.app[LAST_SEEN].at
    if now - seen.get(display.id, 0) < SEEN_NOTED_EVERY:
        return
    seen[display.id] = now
    clock = request.query.get("clock", "")
    ahead = int(clock) - now if clock.isascii() and clock.isdigit() and len(clock) < 16 else None
    async with service.database.write() as connection:
        await displays.note_seen(
            connection,
            display.id,
            at=now,
            clock_ahead=None if ahead is None else max(-FURTHEST, min(FURTHEST, ahead)),
        )


def _rendered(request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
    text = request.app[TEMPLATES].get_template(template).render(**values)
    return web.Response(text=text, status=status, content_type="text/html")
