"""Every console page and the permission it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.console import (
    account,
    accounts,
    after_sending,
    alarms,
    audit,
    calendar,
    cancelling,
    carried,
    compose,
    confirm,
    consent,
    drill,
    exchanges,
    groups,
    home,
    kept,
    login,
    machines,
    maintenance,
    notice_list,
    offered,
    passkeys,
    people,
    pictures,
    progress,
    reading,
    refusals,
    reports,
    self_tests,
    series,
    session_pages,
    settings,
    trials,
    unreachable,
    waiting,
)
from bot.console.access import DECIDE, SEND, ConsoleHandler, ConsoleRoutes, StaffRequest
from bot.console.record_routes import add_records
from bot.console.report_routes import add_reports
from bot.console.sign_ins import keep_sign_ins
from bot.console.trial_routes import add_trials
from bot.pages import redirect

NOTICE = r"/notices/{id:[0-9]{1,18}}"
PERSON = r"/people/{id:[0-9]{1,18}}"


def add_console(app: web.Application) -> None:
    app.cleanup_ctx.append(keep_sign_ins)
    app.router.add_get("/console", _to_home)
    app.router.add_get("/console/login", login.show_login)
    app.router.add_post("/console/login", login.log_in)
    app.router.add_get("/console/login/code", login.show_code)
    app.router.add_post("/console/login/code", login.enter_code)
    app.router.add_post("/console/login/passkey/options", passkeys.ask_to_enter)
    app.router.add_post("/console/login/passkey", passkeys.enter)
    app.router.add_get("/console/password", account.show_password)
    app.router.add_post("/console/password", account.set_password)
    # A path of its own, since it may carry a whole notice.
    app.router.add_post("/console/resume", login.log_in)
    app.router.add_post("/console/resume/here", carried.resume_here)
    app.router.add_post("/console/resume/code", login.enter_code)
    app.router.add_post("/console/resume/passkey", passkeys.enter)
    routes = ConsoleRoutes(app)
    _add_people(routes)
    routes.post("/logout", "see", login.log_out)
    routes.get("/", "see", home.show_home)
    routes.get("/notices", "see", notice_list.show_list)
    routes.get("/notices/new", "write", compose.show_new)
    routes.post("/notices/new", "write", compose.create)
    routes.post("/notices/template", "write", compose.use_template)
    routes.post("/notices/look", "write", compose.look)
    routes.post("/notices/picture", "write", pictures.change)
    routes.get("/pictures/{name}", "see", pictures.show)
    routes.post("/notices/keep", "write", kept.keep)
    routes.post("/notices/throw-away", "write", kept.throw_away)
    routes.get(NOTICE, "see", _found(progress.show_progress))
    routes.get(f"{NOTICE}/progress", "see", _found(progress.show_fragment))
    routes.get(f"{NOTICE}/copy", "write", _found(compose.show_copy))
    routes.get(f"{NOTICE}/edit", "write", _found(compose.show_edit))
    routes.post(f"{NOTICE}/edit", "write", _found(compose.change))
    routes.get(f"{NOTICE}/confirm", DECIDE, _found(confirm.show_confirm))
    routes.post(f"{NOTICE}/offered", "write", _found(offered.take_offer))
    routes.post(f"{NOTICE}/approve", SEND, _found(confirm.approve))
    routes.post(f"{NOTICE}/try", DECIDE, _found(trials.send_trial))
    routes.post(f"{NOTICE}/submit", "write", _found(consent.submit))
    routes.post(f"{NOTICE}/return", SEND, _found(consent.return_to_writer))
    routes.post(f"{NOTICE}/review", SEND, _found(consent.review))
    routes.get("/waiting", "see", waiting.show_waiting)
    routes.post(f"{NOTICE}/release", SEND, _found(progress.release))
    routes.get(f"{NOTICE}/drill", "see", _found(drill.show_report))
    routes.get(f"{NOTICE}/drill.csv", "see", _found(drill.download_report))
    routes.get(f"{NOTICE}/stop", "write", _found(series.show_stop))
    routes.get(f"{NOTICE}/cancel", "write", _found(cancelling.show_cancel))
    routes.post(f"{NOTICE}/cancel", "write", _found(cancelling.cancel))
    routes.get(f"{NOTICE}/take-back", "write", _found(cancelling.show_take_back))
    routes.post(f"{NOTICE}/take-back", "write", _found(cancelling.take_back))
    routes.get(f"{NOTICE}/stop-sending", SEND, _found(after_sending.show_stop))
    routes.post(f"{NOTICE}/stop-sending", SEND, _found(after_sending.stop))
    routes.post(f"{NOTICE}/retry", SEND, _found(after_sending.retry))
    routes.get(f"{NOTICE}/correct", SEND, _found(after_sending.show_correct))
    routes.post(f"{NOTICE}/correct", SEND, _found(after_sending.correct))
    routes.get(f"{NOTICE}/withdraw", SEND, _found(after_sending.show_withdraw))
    routes.post(f"{NOTICE}/withdraw", SEND, _found(after_sending.withdraw))
    routes.get(f"{NOTICE}/words", "write", _found(after_sending.show_words))
    routes.post(f"{NOTICE}/words", "write", _found(after_sending.change_words))
    routes.post(f"{NOTICE}/give-up", SEND, _found(progress.give_up))
    routes.get(f"{NOTICE}/exchanges", DECIDE, _found(exchanges.show_exchanges))
    routes.get(f"{NOTICE}/refusals", DECIDE, _found(refusals.show_refusals))
    routes.get(f"{NOTICE}/refusals.csv", DECIDE, _found(refusals.download))
    routes.get(f"{NOTICE}/reading", DECIDE, _found(reading.show_reading))
    routes.get(f"{NOTICE}/reading.csv", DECIDE, _found(reading.download))
    routes.post(f"{NOTICE}/refusals/addresses", "open_address", _found(refusals.show_addresses))
    routes.get("/calendar", "see", calendar.show_calendar)
    routes.get("/groups", "see", groups.show_groups)
    routes.post("/groups", "write", groups.create)
    routes.get("/groups/{key}", "see", groups.show_group)
    routes.post("/groups/{key}/codes", "write", groups.make_codes)
    routes.post("/groups/{key}/codes/close", "write", groups.close_code)
    routes.post("/groups/{key}/remove", "write", groups.remove_member)
    routes.post("/groups/{key}/confirm", "write", groups.confirm)
    routes.post("/groups/{key}/close", "write", groups.close)
    routes.get("/unreachable", "see", unreachable.show_unreachable)
    routes.post("/unreachable", "write", unreachable.lift)
    routes.get("/alarms", "see", alarms.show_alarms)
    routes.get("/accounts", "see", accounts.show_accounts)
    routes.get("/settings", "administer", settings.show_settings)
    routes.get("/maintenance", "administer", maintenance.show_maintenance)
    routes.post("/maintenance/begin", "administer", maintenance.begin)
    routes.post("/maintenance/end", "administer", maintenance.end)
    add_records(routes)
    add_trials(app, routes)
    routes.get(r"/self-tests/{id:[0-9]{1,18}}", "see", _found(self_tests.show_proof))
    routes.get("/reports", "see", reports.show_counts)
    add_reports(routes)
    routes.get("/reports/indicators/{key}", "see", reports.show_indicator)


def _add_people(routes: ConsoleRoutes) -> None:
    routes.get("/account", "see", account.show_account)
    routes.post("/account/password", "see", account.change_password)
    routes.post("/account/factor", "see", account.begin_factor)
    routes.post("/account/factor/confirm", "see", account.confirm_factor)
    routes.post("/account/factor/remove", "see", account.remove_factor)
    routes.post("/account/passkeys/options", "see", passkeys.ask_to_add)
    routes.post("/account/passkeys", "see", passkeys.add)
    routes.post("/account/passkeys/remove", "see", passkeys.remove)
    routes.post("/account/recovery", "see", account.make_recovery_codes)
    routes.post("/account/sessions", "see", session_pages.end_own)
    routes.get("/people", "administer", people.show_people)
    routes.post("/people/invite", "administer", people.invite)
    routes.get(PERSON, "administer", people.show_person)
    routes.post(f"{PERSON}/rights", "administer", people.change_rights)
    routes.post(f"{PERSON}/disable", "administer", people.disable)
    routes.post(f"{PERSON}/enable", "administer", people.enable)
    routes.post(f"{PERSON}/reset", "administer", people.reset)
    routes.post(f"{PERSON}/code", "administer", people.make_code)
    routes.post(f"{PERSON}/sessions", "administer", session_pages.end_of_colleague)
    routes.post(f"{PERSON}/factor", "administer", people.remove_factor)
    routes.get("/machines", "administer", machines.show_machines)
    routes.post("/machines", "administer", machines.make_key)
    routes.post(r"/machines/{id:[0-9]{1,18}}/end", "administer", machines.end_key)
    routes.get("/audit", "administer", audit.show_audit)
    routes.get("/audit.csv", "administer", audit.send_csv)
    routes.post("/audit/check", "administer", audit.check_chain)
    routes.post("/departments", "administer", people.add_department)
    routes.post("/departments/{key:[a-z0-9_-]+}", "administer", people.change_department)


def _found(handler: ConsoleHandler) -> Callable[[StaffRequest], Awaitable[web.StreamResponse]]:
    async def handle(staff_request: StaffRequest) -> web.StreamResponse:
        try:
            return await handler(staff_request)
        except LookupError as error:
            # A KeyError or IndexError would be a mistake of ours, not a missing notice.
            if type(error) is not LookupError:
                raise
            raise web.HTTPNotFound from error

    return handle


async def _to_home(request: web.Request) -> web.Response:
    return redirect("/console/")
