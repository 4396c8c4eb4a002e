"""A second town by the documents alone: every command of the first chapter of docs/operations.md, with its own profile."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from aiohttp import web
from typer.testing import CliRunner

from bot.cli import app
from content.town import load_town
from sandbox.line import SandboxOptions, create_app
from sandbox.mail.server import SmtpSandbox
from tests.journeys.deployment import free_port

ROOT = Path(__file__).parents[2]
PAGE, PROFILE = ROOT / "docs" / "operations.md", ROOT / "examples" / "toride.toml"
PASSWORD = "himitsu-no-kotoba"
ANSWERS = f"{PASSWORD}\n{PASSWORD}\n"
# Here nobody has registered the town's domain in the DNS.
MAY_FAIL = {"doctor": 1}


def first_chapter() -> list[str]:
    """The lines of the page's first block, without what is explained behind them."""
    block = re.search(r"```\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert block
    return [line.split("#")[0].strip() for line in block[1].splitlines() if line.strip()]


@contextmanager
def outside() -> Iterator[tuple[str, str]]:
    """LINE and a mail server in a thread of their own: commands have an event loop each."""
    loop, ready, ended = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[str] = []

    async def serve() -> None:
        mail = SmtpSandbox()
        line = web.AppRunner(create_app(SandboxOptions(channel_secret="0" * 32, channel_token="token")))
        await line.setup()
        port = free_port()
        await web.TCPSite(line, "127.0.0.1", port).start()
        found.extend((f"http://127.0.0.1:{port}", f"smtp://127.0.0.1:{await mail.start()}"))
        ready.set()
        await ended.wait()
        await line.cleanup()
        await mail.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    try:
        yield found[0], found[1]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def test_the_first_chapter_sets_a_second_town_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("KAIRANBAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "town.toml").write_bytes(PROFILE.read_bytes())
    port = free_port()
    with outside() as (line, mail):
        # What a town has from LINE and from its mail server, in the place of the sample's.
        for name, value in {
            "LINE__API_BASE": line,
            "LINE__CHANNEL_SECRET": "0" * 32,
            "LINE__CHANNEL_TOKEN": "token",
            "MAIL__SMTP_URL": mail,
            "MAIL__FROM": "取手市 <oshirase@city.example.jp>",
            "WEB__LISTEN": f"127.0.0.1:{port}",
        }.items():
            monkeypatch.setenv(f"KAIRANBAN_{name}", value)
        done = []
        for written in first_chapter():
            if written.startswith("export "):
                name, _, value = written.removeprefix("export ").partition("=")
                monkeypatch.setenv(name, value.replace("/etc/kairanban", str(tmp_path)))
                continue
            name, *words = shlex.split(written)
            assert name == "kairanban", written
            if words == ["serve"]:
                done.append("serve")
                serves(tmp_path, port)
                continue
            said = CliRunner().invoke(app, words, input=ANSWERS)
            assert said.exit_code in (0, MAY_FAIL.get(words[0], 0)), f"{written}: {said.output}"
            done.append(words[0])
    assert done[:4] == ["config", "init", "staff", "doctor"] and done[-1] == "serve"


def serves(folder: Path, port: int) -> None:
    """Until it says by itself that it is ready."""
    with open(folder / "serve.log", "w") as log:
        process = subprocess.Popen([sys.executable, "-m", "bot.cli", "serve"], stdout=log, stderr=log)
    try:
        for _ in range(600):
            assert process.poll() is None, (folder / "serve.log").read_text()
            try:
                with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                    if answer.status == 200:
                        break
            except (URLError, OSError):
                pass
            time.sleep(0.1)
        else:
            raise AssertionError((folder / "serve.log").read_text())
        with urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            assert "取手市" in answer.read().decode()
    finally:
        process.terminate()
        process.wait(60)


def test_the_sample_of_a_second_town_is_a_profile() -> None:
    town = load_town(PROFILE)
    assert (town.code, town.name, town.always_categories) == ("082171", "取手市", ("saigai",))
