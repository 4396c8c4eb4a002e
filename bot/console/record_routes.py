"""The pages of what staff change on the screen: segments, templates, calendars."""

from __future__ import annotations

from bot.console import segments
from bot.console.access import ConsoleRoutes

KEY = "{key}"


def add_records(routes: ConsoleRoutes) -> None:
    routes.get("/segments", "see", segments.show_list)
    routes.get("/segments/new", "write", segments.show_new)
    routes.post("/segments/new", "write", segments.create)
    routes.post("/segments/from-notice", "write", segments.from_notice)
    routes.get(f"/segments/{KEY}", "write", segments.show_edit)
    routes.post(f"/segments/{KEY}", "write", segments.change)
    routes.post(f"/segments/{KEY}/close", "write", segments.close)
