"""What a command does not import: on a small machine that is what its start costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from content.key_file import create_key_file

ROOT = Path(__file__).parents[2]
DATABASE = ("alembic", "sqlalchemy")
# Only processes that serve, send or draw pages have a use for these.
SERVING = (
    "aiohttp",
    "aiosmtplib",
    "apscheduler",
    "argon2",
    "asyncpg",
    "httpx",
    "jinja2",
    "linebot",
    "structlog",
    "uvloop",
)
ROOMS = ("channels", "content", "scheduler", "sandbox")
COMMANDS = {
    "--help": (*DATABASE, *SERVING, *ROOMS, "asyncio", "pydantic", "bot.commands"),
    "--version": (*DATABASE, *SERVING, *ROOMS, "asyncio", "pydantic", "rich", "bot.commands"),
    "sandbox --help": (*DATABASE, *SERVING, *ROOMS, "pydantic_settings", "bot.settings"),
    "notice --help": (
        "alembic",
        *SERVING,
        "bot.app",
        "bot.console",
        "bot.server",
        "channels.line",
        "sandbox",
    ),
    "notice show 1": (
        "alembic",
        *SERVING,
        "bot.app",
        "bot.console",
        "bot.server",
        "channels.line",
        "sandbox",
    ),
    "report counts": ("alembic", *SERVING, "bot.app", "bot.console", "bot.server", "sandbox"),
}
# At the end of the process, after whatever the command itself imported while it ran.
LISTING = """
import atexit, sys
atexit.register(lambda: sys.stderr.write("\\nimported: " + " ".join(sys.modules)))
sys.argv[0] = "kairanban"
from bot.cli import main
main()
"""


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_imports_what_it_uses_and_nothing_else(words, sqlite_template, tmp_path):
    shutil.copyfile(sqlite_template, tmp_path / "kairanban.db")
    create_key_file(tmp_path / "secret.key")
    done = subprocess.run(
        [sys.executable, "-c", LISTING, *words.split()],
        cwd=ROOT,
        env={
            **os.environ,
            "KAIRANBAN_TOWN": "examples/shibata.toml",
            "KAIRANBAN_DATABASE_URL": f"sqlite:///{tmp_path}/kairanban.db",
            "KAIRANBAN_SECRET_KEY_FILE": str(tmp_path / "secret.key"),
        },
        capture_output=True,
        text=True,
    )
    said, _, imported = done.stderr.rpartition("imported: ")
    assert "Error" not in said, said
    loaded = imported.split()
    assert "bot.cli" in loaded, done.stderr
    assert not [name for name in loaded for unused in COMMANDS[words] if f"{name}.".startswith(f"{unused}.")]


def test_a_process_that_renders_for_line_loads_the_models_without_the_clients():
    asked = (
        "import sys\nfrom channels.line.models import load_models\n"
        "print(load_models().FlexText(text='町', wrap=True).to_dict())\n"
        "print(*(name for name in ('requests', 'linebot.api', 'linebot.v3.messaging.api') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "{'type': 'text', 'text': '町', 'wrap': True}\n\n", done.stderr
