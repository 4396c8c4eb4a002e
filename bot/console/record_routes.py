"""The pages of what staff change on the screen: segments, templates, calendars."""

from __future__ import annotations

from bot.console import note_templates, segments, word_calendars
from bot.console.access import ConsoleRoutes


def add_records(routes: ConsoleRoutes) -> None:
    routes.post("/segments/from-notice", "write", segments.from_notice)
    routes.post("/segments/{key}/close", "write", segments.close)
    for name, pages in (
        ("segments", segments),
        ("templates", note_templates),
        ("word-calendars", word_calendars),
    ):
        routes.get(f"/{name}", "see", pages.show_list)
        routes.get(f"/{name}/new", "write", pages.show_new)
        routes.post(f"/{name}/new", "write", pages.create)
        routes.get(f"/{name}/{{key}}", "write", pages.show_edit)
        routes.post(f"/{name}/{{key}}", "write", pages.change)
