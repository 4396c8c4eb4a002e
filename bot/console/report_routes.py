"""The pages of figures beyond the counts of now."""

from __future__ import annotations

from bot.console import monthly_mail, months, other_figures, sent_notices
from bot.console.access import ConsoleRoutes


def add_reports(routes: ConsoleRoutes) -> None:
    routes.get("/reports/months", "see", months.show_months)
    routes.post("/reports/months", "write", months.add_remark)
    routes.get("/reports/monthly-mail", "see", monthly_mail.show)
    routes.post("/reports/monthly-mail", monthly_mail.SET, monthly_mail.set_readers)
    routes.get("/reports/other-figures", "see", other_figures.show)
    routes.post("/reports/other-figures", "write", other_figures.enter)
    routes.get("/reports/notices", "see", sent_notices.show)
