"""Stories of a module run side by side; the ones that were selected, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

# Before they are imported: a failure shall show the figures.
pytest.register_assert_rewrite("books", "kill_rounds")

from tests.conftest import run_apart  # noqa: E402
from tests.faults.books import fault_town  # noqa: E402
from tests.faults.side_by_side import SideBySide  # noqa: E402

AT_ONCE = 5


@pytest.fixture(scope="session")
def prepared_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a town on SQLite with its registrations, for copying."""
    folder = tmp_path_factory.mktemp("prepared")

    async def prepare() -> None:
        async with fault_town(folder):
            pass

    run_apart(prepare())
    return folder


@pytest.fixture(scope="module")
def side_by_side(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, prepared_town: Path
) -> Iterator[SideBySide]:
    chosen = [
        item.callspec.params["story"]
        for item in request.session.items
        if item.path == request.path and hasattr(item, "callspec")
    ]
    running = SideBySide(chosen, tmp_path_factory.mktemp("stories"), prepared_town, AT_ONCE)
    yield running
    running.end()
