"""The page of an urgent notice that everybody opens at once: how many a second, and what the send pays for it.

`kairanban serve` on SQLite as a process, LINE as one that counts, visitors as a third with a lower priority than
the service. The page is asked for alone and beside a bare aiohttp handler that returns the same bytes; then the
urgent notice is sent with nobody at the page, and with `rate` requests a second for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import Bench, Figures, Row, run
from processes import Deployment, StaffAtConsole, deployed, until
from registry import Register, Seeded, seed_sqlite
from servers import HERE, counting_line, printing_ports
from town_hall import spec

from content.notices.segments import Target

CONNECTIONS = 64
LARGEST = 14 * 1024


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    return asyncio.run(seed_sqlite(folder, Register(line=options.urgent, mail=1, in_group=1)))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    alone = send_urgent(options, folder / "alone", seeded, crowded=False)
    crowded = send_urgent(options, folder / "crowded", seeded, crowded=True)
    return {"alone_s": alone.pop("send_s"), "crowded_s": crowded.pop("send_s"), **alone, **crowded}


def send_urgent(options: argparse.Namespace, folder: Path, seeded: Seeded, *, crowded: bool) -> Figures:
    folder.mkdir()
    database = folder / "bench.db"
    shutil.copy(seeded.database, database)
    with (
        counting_line(options.latency) as line,
        deployed(folder, seeded, f"sqlite:///{database}", KAIRANBAN_LINE__API_BASE=line.url) as deployment,
    ):
        deployment.init()
        deployment.serve()
        # Its page is the one that is open, as that of the same notice would be a moment later.
        deployment.post("--channel", "mail")
        url = page_address(deployment, database)
        send = StaffAtConsole(deployment.url).write(spec("line", target=Target("everyone"), urgency="urgent"))
        figures = {} if crowded else speed_alone(options, folder, url)
        if crowded:
            with visitors(url, options.seconds, options.rate) as crowd:
                send()
                finished = wait_for_last(database, options.urgent)
                figures = {f"crowd_{name}": value for name, value in answers(crowd).items()}
        else:
            send()
            finished = wait_for_last(database, options.urgent)
        line.require(options.urgent)
    return {"send_s": finished, **figures}


def page_address(deployment: Deployment, database: Path) -> str:
    ledger = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    (name,) = ledger.execute("SELECT public_id FROM notice ORDER BY id DESC LIMIT 1").fetchone()
    ledger.close()
    url = f"{deployment.url}/n/{name}"

    def is_open() -> bool:
        try:
            return bool(urllib.request.urlopen(url, timeout=5).status == 200)
        except OSError:
            return False

    until(is_open, "the page of the notice", 60)
    return url


def speed_alone(options: argparse.Namespace, folder: Path, url: str) -> Figures:
    asked = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    packed = folder / "page.gz"
    packed.write_bytes(urllib.request.urlopen(asked, timeout=30).read())
    with visitors(url, options.seconds, 0) as crowd:
        ours = answers(crowd)
    with (
        printing_ports("bare_page.py", str(packed)) as (port,),
        visitors(f"http://127.0.0.1:{port}/n/page", options.seconds, 0) as crowd,
    ):
        bare = answers(crowd)
    return {
        "bytes": packed.stat().st_size,
        **{f"page_{name}": value for name, value in ours.items()},
        **{f"bare_{name}": value for name, value in bare.items()},
    }


@contextmanager
def visitors(url: str, seconds: int, rate: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(HERE / "visitors.py"), url, str(CONNECTIONS), str(seconds), str(rate)]
    # Real visitors have phones of their own; these shall not take the processor from the service.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.nice(15))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answers(crowd: subprocess.Popen[str]) -> dict[str, float]:
    found: dict[str, float] = json.loads(crowd.communicate(timeout=120)[0])
    if found.pop("failed"):
        raise SystemExit("some visitors did not get the page")
    return found


def wait_for_last(database: Path, wanted: int) -> float:
    """Seconds from the approval to LINE's last acceptance, by the ledger."""
    ledger = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    count = "SELECT coalesce(sum(accepted), 0) FROM batch WHERE lane = 'urgent'"
    until(lambda: ledger.execute(count).fetchone()[0] >= wanted, "the urgent notice to go out", 300)
    approved, last = ledger.execute(
        "SELECT n.approved_at, max(b.last_accepted_at) FROM notice n JOIN delivery d ON d.notice_id = n.id"
        " JOIN batch b ON b.delivery_id = d.id WHERE n.urgency = 'urgent'"
    ).fetchone()
    ledger.close()
    return float(last - approved) / 1000


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    ratio = median["crowded_s"] / median["alone_s"]
    return [
        Row(
            "pages a second from the door alone",
            f"{median['page_per_second']:,.0f}",
            f"a bare aiohttp handler with the same bytes: {median['bare_per_second']:,.0f}",
            f"{median['page_per_second'] / median['bare_per_second']:.2f}",
            "≥ 5,000",
            median["page_per_second"] >= 5000,
        ),
        Row(
            f"p99 at {median['crowd_per_second']:,.0f} pages a second while {options.urgent:,} LINE messages go out",
            f"{median['crowd_p99_ms']:.0f} ms",
            f"as fast as they come, nothing being sent: {median['page_p99_ms']:.0f} ms",
            "",
            "< 100 ms",
            median["crowd_p99_ms"] < 100,
        ),
        Row(
            f"the urgent send with {options.rate:,} requests a second for the page",
            f"{median['crowded_s']:.2f} s",
            f"with nobody at the page: {median['alone_s']:.2f} s",
            f"{ratio:.2f}",
            "≤ 1.1",
            ratio <= 1.1,
        ),
        Row(
            "size of the page on the wire",
            f"{median['bytes']:,.0f} bytes",
            goal=f"≤ {LARGEST:,} bytes",
            reached=median["bytes"] <= LARGEST,
        ),
    ]


if __name__ == "__main__":
    run(
        Bench(
            "page",
            "The page that everybody opens at once",
            (
                ("urgent", 100_000, "LINE recipients of the urgent notice"),
                ("rate", 5_000, "requests a second for the page while it goes out"),
                ("seconds", 10, "how long visitors ask"),
                ("latency", 40, "ms that LINE takes to answer"),
            ),
            prepare,
            measure,
            rows,
        )
    )
