"""Two `kairanban worker` processes beside one, on PostgreSQL.

By LINE to a server that takes its time, as one far away does: there the connections of a worker are the
limit, not this machine. And by mail to one smtp-sink for each worker, as fast as it goes: a worker, a sink
and PostgreSQL each want a core, and where there are fewer the machine is the limit, which the share of its
CPU time tells.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import postgres
from common import Bench, Figures, Row, run
from processes import Deployment, deployed, until
from registry import Register, Seeded, seed_postgres
from servers import counting_line, smtp_sink

ACCEPTED = "SELECT coalesce(sum(accepted), 0) FROM batch"
PRESENT = "SELECT count(*) FROM sender_presence"


def prepare(options: argparse.Namespace, folder: Path) -> Register:
    return Register(line=options.registrations, mail=options.mails)


def measure(options: argparse.Namespace, folder: Path, register: Register) -> Figures:
    figures: Figures = {}
    with postgres.database() as original:
        seeded = asyncio.run(seed_postgres(original, folder / "register", register))
        for channel, number in (("line", options.registrations), ("mail", options.mails)):
            for workers in (1, 2):
                home = folder / f"{channel}{workers}"
                home.mkdir()
                with postgres.database(original) as url, counting_line(options.latency) as line:
                    measured = send(home, seeded, url, workers, channel, number, line.url)
                    figures.update({f"{channel}_{name}": value for name, value in measured.items()})
                    if channel == "line":
                        line.require(number)
    return figures


def send(
    folder: Path, seeded: Seeded, url: str, workers: int, channel: str, number: int, line_url: str
) -> Figures:
    """Recipients a second between the tenth and the last tenth, when every worker is at work."""
    with ExitStack() as open_:
        deployments = [
            open_.enter_context(worker_place(folder, seeded, url, line_url)) for _ in range(workers)
        ]
        deployments[0].init()
        for deployment in deployments:
            deployment.start("worker")
        until(lambda: postgres.fetch(url, PRESENT)[0][0] == workers, "the workers to be there", 60)
        # So that each knows how many share the rate.
        time.sleep(2)
        deployments[0].post("--channel", channel)
        reached: list[tuple[float, int, float]] = []

        def nearly_through() -> bool:
            reached.append((time.perf_counter(), postgres.fetch(url, ACCEPTED)[0][0], busy_cpu()))
            return reached[-1][1] >= number * 0.9

        until(nearly_through, "everything to go out", 600, every=0.1)
        begun = next(one for one in reached if one[1] >= number * 0.1)
        ended = reached[-1]
        until(lambda: postgres.fetch(url, ACCEPTED)[0][0] == number, "the rest", 120)
        doubled = postgres.fetch(
            url, "SELECT count(*) FROM batch WHERE accepted + refused + unknown != size OR state != 'settled'"
        )[0][0]
        if doubled:
            raise SystemExit(f"{doubled} batches are not settled with everyone accounted for")
    seconds = ended[0] - begun[0]
    return {
        f"per_s_{workers}": (ended[1] - begun[1]) / seconds,
        f"cpu_{workers}": (ended[2] - begun[2]) / seconds / (os.cpu_count() or 1),
    }


@contextmanager
def worker_place(folder: Path, seeded: Seeded, url: str, line_url: str) -> Iterator[Deployment]:
    """Settings of a worker with a sink of its own."""
    with (
        smtp_sink() as port,
        deployed(
            folder,
            seeded,
            url,
            KAIRANBAN_MAIL__SMTP_URL=f"smtp://127.0.0.1:{port}",
            KAIRANBAN_LINE__API_BASE=line_url,
        ) as deployment,
    ):
        yield deployment


def busy_cpu() -> float:
    """Seconds that all cores of this machine have worked."""
    values = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(values) - values[3] - values[4]) / os.sysconf("SC_CLK_TCK")


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    line, mail = (median[f"{channel}_per_s_2"] / median[f"{channel}_per_s_1"] for channel in ("line", "mail"))
    limited = median["mail_cpu_1"] > 1 / 1.6
    return [
        Row(
            f"two workers, LINE {options.latency} ms away",
            _figure(median, "line", 2, "recipients"),
            "one worker: " + _figure(median, "line", 1, "recipients"),
            f"{line:.2f}",
            "≥ 1.6",
            line >= 1.6,
        ),
        Row(
            f"two workers, {options.mails:,} mails as fast as it goes",
            _figure(median, "mail", 2, "mails") + (" (the machine is the limit)" if limited else ""),
            "one worker: " + _figure(median, "mail", 1, "mails"),
            f"{mail:.2f}",
            "≥ 1.6",
            mail >= 1.6,
        ),
    ]


def _figure(median: Figures, channel: str, workers: int, of: str) -> str:
    return f"{median[f'{channel}_per_s_{workers}']:,.0f} {of}/s, {median[f'{channel}_cpu_{workers}']:.0%} of the CPU"


if __name__ == "__main__":
    run(
        Bench(
            "workers",
            "Two workers against one on PostgreSQL",
            (
                ("registrations", 200_000, "registrations on LINE"),
                ("latency", 400, "ms that LINE takes to answer"),
                ("mails", 100_000, "mails"),
            ),
            prepare,
            measure,
            rows,
            uses_postgres=True,
        )
    )
