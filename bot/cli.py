"""The `kairanban` command. Results go to stdout, talk to stderr; exit codes are in bot/commands/common.py."""

from __future__ import annotations

import os

import typer

from bot.commands import audit, backup, events, notices, reports, sandbox, service, setup, staff, subscribers
from bot.commands.demo import demo

app = typer.Typer(
    name="kairanban",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="回覧板: 町のお知らせを、LINE・メール・Webhookへ、ひとつの操作で。",
)
app.command()(service.init)
app.command()(service.serve)
app.command()(service.worker)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(demo)
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(subscribers.app, name="subscribers")
app.add_typer(notices.app, name="notice")
app.add_typer(events.app, name="events")
app.add_typer(reports.app, name="report")
app.add_typer(setup.config_app, name="config")
app.add_typer(staff.app, name="staff")
app.add_typer(audit.app, name="audit")
app.add_typer(setup.line_app, name="line")


def main() -> None:
    # Whatever a command writes (database, exports, backups) is for this user alone.
    os.umask(0o077)
    app()


if __name__ == "__main__":
    main()
