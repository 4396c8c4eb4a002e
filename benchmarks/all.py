"""Every benchmark one after the other; one JSON file of the results and the table of docs/benchmarks.md.

`all.py` runs them and prints their tables. `--results FILE` names the file (default benchmarks/results.json), `--only NAME`
(repeatable) runs and replaces some alone, `--render` runs nothing and writes the table from the file.
Other flags (`--rounds 5`) go to every benchmark.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import mark, show, talk

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
RESULTS = HERE / "results.json"
NAMES = (
    "line",
    "mail",
    "soft_failures",
    "urgent",
    "page",
    "correction",
    "importing",
    "fanout",
    "count",
    "memory",
    "workers",
    "recovery",
)
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the JSON file of all results")
    parser.add_argument("--only", action="append", choices=NAMES, help="repeat for several; default: all")
    parser.add_argument("--render", action="store_true", help="only write the table of docs/benchmarks.md")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the tables")
    options, flags = parser.parse_known_args()
    results = read(options.results) if options.only or options.render else {}
    if not options.render:
        # The same register serves several benchmarks.
        with tempfile.TemporaryDirectory(prefix="kairanban-benchmarks-") as cache:
            for name in options.only or NAMES:
                results[name] = measure(name, ["--cache", cache, *flags])
                options.results.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n", "utf-8")
                if not options.json:
                    show(results[name])
        if options.json:
            print(json.dumps(results, ensure_ascii=False, indent=2))
    if options.render:
        render(results)


def measure(name: str, flags: list[str]) -> dict[str, Any]:
    """In a process of its own, so that no benchmark pays for the memory of another."""
    talk(f"{name}:")
    command = [sys.executable, str(HERE / f"{name}.py"), "--json", *flags]
    done = subprocess.run(command, stdout=subprocess.PIPE)
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}")
    return dict(json.loads(done.stdout))


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def render(results: dict[str, Any]) -> None:
    if not results:
        raise SystemExit("there are no results yet: run `make bench` first")
    page = PAGE.read_text("utf-8")
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    parts = "\n\n".join(table(results[name]) for name in NAMES if name in results)
    PAGE.write_text(f"{before}{BEGIN}\n\n{parts}\n\n{END}{after}", "utf-8")


def table(result: dict[str, Any]) -> str:
    sizes = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in result["sizes"].items())
    lines = [
        f"### {result['title']}",
        "",
        f"{sizes}; medians of {result['rounds']}. {result['machine']}.",
        "",
        "| figure | value | reference in the same run | ratio | goal | |",
        "|---|---|---|---|---|---|",
        *(
            f"| {row['figure']} | {row['value']} | {row['reference']} | {row['ratio']} | {row['goal']} | {mark(row)} |"
            for row in result["rows"]
        ),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
