"""The `kairanban` command. Results go to stdout, talk to stderr; exit codes are in bot/commands/common.py.

A command's code is imported when that command runs: on a small machine importing all of them takes seconds.
"""

from __future__ import annotations

import gc
import os
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

ABOUT = "回覧板: 町のお知らせを、LINE・メール・Webhookへ、ひとつの操作で。"
# name → module, what to take from it, and the line that `--help` shows (a test compares it with the command's own).
COMMANDS = {
    "init": (
        "service",
        "init",
        "Make or renew the database, the secret key and the first administrator. Safe to repeat.",
    ),
    "serve": ("service", "serve", "Web pages, LINE conversation, triggers and sender in one process."),
    "worker": ("service", "worker", "One more sender, on this or another machine; needs PostgreSQL."),
    "backup": (
        "backup",
        "backup",
        "Write one consistent copy of the database, also while it is in use. The secret key is not in it.",
    ),
    "backup-key": (
        "sealed_copies",
        "backup_key",
        "Make a pair of keys for encrypted copies: the private one into FILE, the public one (age1…) on stdout.",
    ),
    "restore": (
        "backup",
        "restore",
        "Bring a copy back, show what is due and hold it until a person has confirmed.",
    ),
    "takeover": (
        "takeover",
        "takeover",
        "Go on here with a replica or a copy, after the other site has failed. It then sends nothing more.",
    ),
    "move": (
        "move",
        "move",
        "Everything into another database, SQLite or PostgreSQL. Cut off, it goes on when repeated.",
    ),
    "sbom": (
        "sbom",
        "sbom",
        "Print the installed parts with versions and licences, as CycloneDX 1.5 JSON.",
    ),
    "demo": ("demo", "demo", "The whole service on this machine; nothing leaves it."),
    "sandbox": ("sandbox", "app", "練習用の接続先(外部には何も送りません)."),
    "subscribers": ("subscribers", "app", "登録者の取り込みと書き出し (CSV)、登録の確認・終了・消去."),
    "notice": ("notices", "app", "お知らせを出す・結果を見る."),
    "selftest": (
        "self_test",
        "selftest",
        "Begin the silent self-test to the seed addresses of staff; with --wait 0: passed, 1: failed, 4: no addresses.",
    ),
    "events": ("events", "app", "LINEから届き、処理できなかった操作を見る・やり直す."),
    "report": ("reports", "app", "登録数と計画の指標."),
    "records": (
        "records",
        "app",
        "配信対象・ひな形・文の暦・よくある質問・避難場所・計画(施策・指標・評価表)をファイルで出し入れする.",
    ),
    "shelters": ("shelters", "app", "指定緊急避難場所の一覧."),
    "doctor": (
        "doctor",
        "doctor",
        "Look at everything that the service needs and name what is wrong, with a remedy; sends nothing.",
    ),
    "config": ("setup", "config_app", "設定を見る."),
    "staff": ("staff", "app", "職員の登録、無効化、パスワードと権限."),
    "key": ("keys", "app", "秘密鍵の取り替えと、ログイン・リンク・記録・警報の鍵の入れ替え."),
    "token": ("tokens", "app", "機械がお知らせを出すための接続キー."),
    "audit": ("audit", "app", "操作の記録."),
    "groups": ("groups", "app", "グループの一覧と、会員の取り込み."),
    "line": ("friends", "line_app", "LINE公式アカウントの準備."),
}


class Commands(TyperGroup):
    """Knows every command by name and help; the one that is called is imported then."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][2])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if command is not None and name else command, rest


def load(name: str) -> Any:
    """The command itself."""
    module, attribute, _ = COMMANDS[name]
    found = getattr(import_module(f"bot.commands.{module}"), attribute)
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    outer = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        outer.add_typer(found, name=name)
    else:
        outer.command(name)(found)
    # With a callback it is a group, however few commands it has.
    outer.callback()(lambda: None)
    group: Any = typer.main.get_command(outer)
    return group.commands[name]


app = typer.Typer(
    name="kairanban",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=ABOUT,
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"kairanban {version('kairanban')}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version and end."
    ),
) -> None:
    pass


def main() -> None:
    # What is imported stays until the end: looking for garbage among it takes a tenth of the start. Until `load`.
    gc.disable()
    # Whatever a command writes (database, exports, backups) is for this user alone.
    os.umask(0o077)
    # Plugins that other programs on this machine brought have nothing to look for in the settings.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    app()


if __name__ == "__main__":
    main()
