"""The real commands as processes: `kairanban serve` and `worker` on a seeded database, and staff at the console."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from registry import Seeded
from servers import free_port
from town_hall import BODY

from bot.console.words import approval_word
from content.notices.notices import NoticeSpec

PASSWORD = "bench-password-1"


class Deployment:
    """Settings of one town and the processes that run on them."""

    def __init__(self, folder: Path, seeded: Seeded, database_url: str, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KAIRANBAN_")},
            "KAIRANBAN_DATABASE_URL": database_url,
            "KAIRANBAN_SECRET_KEY_FILE": str(seeded.key_file),
            "KAIRANBAN_TOWN": str(seeded.town_file),
            "KAIRANBAN_WEB__LISTEN": f"127.0.0.1:{self.port}",
            "KAIRANBAN_WEB__PUBLIC_URL": self.url,
            "KAIRANBAN_LINE__CHANNEL_SECRET": "bench",
            "KAIRANBAN_LINE__CHANNEL_TOKEN": "bench",
            "KAIRANBAN_LINE__API_BASE": "http://127.0.0.1:1",
            "KAIRANBAN_MAIL__FROM": "柴田町 <oshirase@town.example.jp>",
            "KAIRANBAN_MAIL__SMTP_URL": "smtp://127.0.0.1:1",
            **settings,
        }

    def init(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        # Each round begins with the seeded register anew, which a pulse of the round before would call a copy.
        for pulse in Path(self.environment["KAIRANBAN_SECRET_KEY_FILE"]).parent.glob("heartbeat-*.json"):
            pulse.unlink()
        self.run("init", "--login", "admin", "--password-file", str(password))

    def run(self, *arguments: str) -> str:
        """`kairanban …` to its end; its stdout."""
        done = subprocess.run(self._command(arguments), capture_output=True, **self._place())
        if done.returncode not in (0, 3):
            raise SystemExit(f"kairanban {arguments[0]} failed: {done.stderr.decode()[-2000:]}")
        return done.stdout.decode()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{arguments[0]}-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            self._command(arguments), stdout=subprocess.DEVNULL, stderr=log, **self._place()
        )
        log.close()
        self.processes.append(process)
        return process

    def serve(self) -> subprocess.Popen[bytes]:
        process = self.start("serve")

        def up() -> bool:
            if process.poll() is not None:
                logs = sorted(self.folder.glob("serve-*.log"))
                raise SystemExit("kairanban serve ended: " + logs[-1].read_text()[-2000:])
            try:
                return bool(urllib.request.urlopen(f"{self.url}/healthz", timeout=5).status == 200)
            except (urllib.error.URLError, TimeoutError):
                return False

        until(up, "kairanban serve to answer", 120)
        return process

    def post(self, *options: str) -> None:
        """A notice by the command line."""
        self.run(
            "notice",
            "post",
            "--category",
            "saigai",
            "--title",
            "避難指示",
            "--body",
            BODY,
            "--accept",
            "repeated",
            *options,
        )

    def end(self, process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
        if process.poll() is None:
            process.send_signal(number)
        process.wait(timeout=60)

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "bot.cli", *arguments]

    def _place(self) -> dict[str, Any]:
        return {"env": self.environment, "cwd": self.folder}


@contextmanager
def deployed(folder: Path, seeded: Seeded, database_url: str, **settings: str) -> Iterator[Deployment]:
    deployment = Deployment(folder, seeded, database_url, **settings)
    try:
        yield deployment
    finally:
        for process in reversed(deployment.processes):
            deployment.end(process, signal.SIGKILL)


class StaffAtConsole:
    """A member of staff in front of the console: logged in, with a notice written and one word from sending."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._send("/console/login", [("login", "admin"), ("password", PASSWORD)])

    def write(self, words: NoticeSpec) -> Callable[[], None]:
        """Store the draft; what is returned sends it, as the confirm page does."""
        page = self._page("/console/notices/new")
        title, body = words.texts["ja"]
        fields = [
            ("csrf", _field(page, "csrf")),
            ("submission_key", _field(page, "submission_key")),
            ("title.ja", title),
            ("body.ja", body),
            ("category", words.category),
            ("urgency", words.urgency),
            ("mode", words.mode),
            ("when", "now"),
            ("target", words.target.kind),
            (words.target.kind, words.target.key),
            *(("channels", channel) for channel in words.channels),
        ]
        address, page = self._send("/console/notices/new", fields)
        if not address.endswith("/confirm"):
            raise SystemExit(f"the console did not take the notice: {address}")
        word = approval_word(words)
        # What the checks ask, and what they will ask once the routine notice with the same words is out.
        asked = {"repeated", *re.findall(r'name="accept" value="([a-z-]+)"', page)}
        answer = [
            ("csrf", _field(page, "csrf")),
            ("version", _field(page, "version")),
            ("word", word),
            *(("accept", code) for code in sorted(asked)),
        ]
        notice = address.removeprefix(self._url).removesuffix("/confirm")

        def approve() -> None:
            reached, _ = self._send(f"{notice}/approve", answer)
            if reached.endswith("/approve"):
                raise SystemExit("the console did not send the notice")

        return approve

    def _page(self, path: str) -> str:
        with self._browser.open(self._url + path, timeout=120) as answer:
            return str(answer.read().decode())

    def _send(self, path: str, fields: list[tuple[str, str]]) -> tuple[str, str]:
        with self._browser.open(self._url + path, urlencode(fields).encode(), timeout=120) as answer:
            return answer.geturl(), answer.read().decode()


def until(held: Callable[[], bool], what: str, max_wait: float, every: float = 0.05) -> None:
    deadline = time.monotonic() + max_wait
    while not held():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {max_wait:.0f} s for {what}")
        time.sleep(every)


def memory_mb(process: subprocess.Popen[bytes], what: str = "VmRSS") -> float:
    """Resident memory now, or with "VmHWM" the most it ever was."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(rf"{what}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def _field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    if found is None:
        raise SystemExit(f"the console's page has no field {name}")
    return found[1]
