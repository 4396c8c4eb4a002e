"""The pages of trials: a member's own addresses, the trial itself, and the self-test."""

from __future__ import annotations

from aiohttp import web

from bot.console import self_tests, trial_addresses
from bot.console.access import ConsoleRoutes


def add_trials(app: web.Application, routes: ConsoleRoutes) -> None:
    own = "/account/trial-addresses"
    app.router.add_get(f"{trial_addresses.CONFIRM}/{{code}}", trial_addresses.show_confirm)
    app.router.add_post(f"{trial_addresses.CONFIRM}/{{code}}", trial_addresses.confirm)
    routes.get(own, "see", trial_addresses.show_addresses)
    routes.post(f"{own}/line", "see", trial_addresses.ask_line)
    routes.post(f"{own}/mail", "see", trial_addresses.ask_mail)
    routes.post(f"{own}/webhook", "administer", trial_addresses.add_webhook)
    routes.post(f"{own}/remove", "see", trial_addresses.remove)
    routes.get("/self-tests", "see", self_tests.show_list)
    routes.post("/self-tests/begin", "administer", self_tests.begin)
    routes.post("/self-tests/seeds", "administer", self_tests.choose_seed)
