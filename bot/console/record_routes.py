"""The pages of what staff change on the screen: segments, templates, calendars, questions, evacuation sites."""

from __future__ import annotations

from bot.console import (
    displays,
    faq,
    note_templates,
    plan_records,
    plans,
    segments,
    sheets,
    shelters,
    word_calendars,
)
from bot.console.access import ConsoleRoutes

SHEET = "{plan}/{year:[0-9]{1,9}}"


def add_records(routes: ConsoleRoutes) -> None:
    routes.post("/segments/from-notice", "write", segments.from_notice)
    routes.post("/segments/{key}/close", "write", segments.close)
    routes.get("/shelters", "see", shelters.show_list)
    routes.post("/shelters", "write", shelters.set_states)
    routes.get("/shelters/import", "write", shelters.show_import)
    routes.post("/shelters/import", "write", shelters.import_list)
    routes.get("/displays", "see", displays.show_displays)
    routes.post("/displays", "administer", displays.add_display)
    routes.post(r"/displays/{id:[0-9]{1,18}}/end", "administer", displays.end_display)
    routes.get("/plans", "see", plans.show_list)
    routes.get("/plans/{key}", "see", plans.show_plan)
    routes.get("/plan-records/{kind}/{key}", "plan", plan_records.show_form)
    routes.post("/plan-records/{kind}/{key}", "plan", plan_records.store)
    routes.get(f"/sheets/{SHEET}", "see", sheets.show_sheet)
    routes.post(f"/sheets/{SHEET}", "approve", sheets.move)
    routes.get(f"/sheets/{SHEET}/{{policy}}", "plan", sheets.show_entry)
    routes.post(f"/sheets/{SHEET}/{{policy}}", "plan", sheets.write)
    for name, pages in (
        ("segments", segments),
        ("templates", note_templates),
        ("word-calendars", word_calendars),
        ("faq", faq),
    ):
        routes.get(f"/{name}", "see", pages.show_list)
        routes.get(f"/{name}/new", "write", pages.show_new)
        routes.post(f"/{name}/new", "write", pages.create)
        routes.get(f"/{name}/{{key}}", "write", pages.show_edit)
        routes.post(f"/{name}/{{key}}", "write", pages.change)
