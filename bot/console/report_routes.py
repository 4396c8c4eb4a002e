"""The pages of figures beyond the counts of now."""

from __future__ import annotations

from bot.console import months, other_figures
from bot.console.access import ConsoleRoutes


def add_reports(routes: ConsoleRoutes) -> None:
    routes.get("/reports/months", "see", months.show_months)
    routes.post("/reports/months", "write", months.add_remark)
    routes.get("/reports/other-figures", "see", other_figures.show)
    routes.post("/reports/other-figures", "write", other_figures.enter)
