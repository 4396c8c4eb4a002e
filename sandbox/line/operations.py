"""The table of the README: every operation that LINE documents for a bot, and what it answers here.

`python -m sandbox.line.operations` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from sandbox.line import oauth
from sandbox.line.call import Route
from sandbox.line.routes import all_routes

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- operations -->", "<!-- end of operations -->"
HERE, NOT_HERE = "as LINE", "501"


def answers(route: Route) -> str:
    return NOT_HERE if route.handler is oauth.not_implemented else HERE


def table() -> str:
    """Markdown; a path in each row with its methods, what answers 501 in a column of its own."""
    routes = sorted(all_routes(), key=lambda route: (route.template, route.method))
    here = sum(answers(route) == HERE for route in routes)
    return "\n".join([f"{here} of {len(routes)} operations answer as LINE does.", "", *_rows(routes), ""])


def written(page: str) -> str:
    """A page with the table in its place."""
    before, after = page.partition(BEGIN)[0], page.partition(END)[2]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _rows(routes: list[Route]) -> Iterator[str]:
    yield "| path | as LINE | 501 |"
    yield "|---|---|---|"
    for path, group in groupby(routes, key=lambda route: route.template):
        cells: dict[str, list[str]] = {HERE: [], NOT_HERE: []}
        for route in group:
            cells[answers(route)].append(route.method)
        yield f"| `{path}` | {', '.join(cells[HERE])} | {', '.join(cells[NOT_HERE])} |"


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
