"""The other ends, each a process of its own: a LINE and a mail server that count, Postfix's smtp-sink and smtp-source."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common import need

HERE = Path(__file__).parent


class CountingServer:
    def __init__(self, url: str) -> None:
        self.url = url

    def totals(self) -> dict[str, Any]:
        return self._ask("/totals")

    def count(self) -> dict[str, Any]:
        return self._ask("/count")

    def forget(self) -> None:
        self._ask("/forget", data=b"")

    def require(self, recipients: int) -> dict[str, Any]:
        """The totals; ends the benchmark unless everyone came exactly once, each call with its key."""
        totals = self.totals()
        lost = recipients - totals["different"]
        if lost or totals["doubled"] or totals["without_key"]:
            raise SystemExit(
                f"of {recipients} recipients lost {lost}, doubled {totals['doubled']}, "
                f"calls without a retry key {totals['without_key']}"
            )
        return totals

    def _ask(self, path: str, data: bytes | None = None) -> dict[str, Any]:
        with urllib.request.urlopen(self.url + path, data=data, timeout=120) as answer:
            return dict(json.load(answer))


@contextmanager
def counting_line(latency_ms: int = 0, *, one_in: int = 0) -> Iterator[CountingServer]:
    """`one_in` so many calls fails; 0: none."""
    with printing_ports("counting_line.py", str(latency_ms), str(one_in)) as (port,):
        yield CountingServer(f"http://127.0.0.1:{port}")


@contextmanager
def unreliable_mail(latency_ms: int = 0, *, one_in: int = 0) -> Iterator[tuple[int, CountingServer]]:
    """The port for mails, and what counts them. `one_in` so many mails is answered "later"."""
    with printing_ports("unreliable_mail.py", str(latency_ms), str(one_in)) as (smtp, figures):
        yield smtp, CountingServer(f"http://127.0.0.1:{figures}")


@contextmanager
def printing_ports(script: str, *arguments: str) -> Iterator[list[int]]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / script), *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield [int(port) for port in process.stdout.readline().split()]
    finally:
        process.terminate()
        process.wait()


def postfix(command: str) -> str:
    """Where Postfix's test tool is; ends with the remedy when it is not installed."""
    found = shutil.which(command, path="/usr/sbin:/usr/bin:/usr/local/sbin")
    need(found is not None, f"{command} is missing: apt-get install --no-install-recommends postfix")
    return str(found)


@contextmanager
def smtp_sink() -> Iterator[int]:
    """Postfix's smtp-sink on a free port of the loopback."""
    port = free_port()
    process = subprocess.Popen(
        [postfix("smtp-sink"), "-u", "nobody", f"127.0.0.1:{port}", "1000"],
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def smtp_source(port: int, sessions: int, messages: int, size: int) -> float:
    """Seconds that Postfix's smtp-source takes for so many mails over connections that stay open."""
    command = [postfix("smtp-source"), "-d", "-s", str(sessions), "-m", str(messages), "-l", str(size)]
    begun = time.perf_counter()
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
