"""`kill -9` while a notice is being posted to ten accounts: none twice, and what nobody can know is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.post_kills import play

pytestmark = [pytest.mark.slow, pytest.mark.faults]

ROUNDS, SEED = 2, 20_261_201


async def test_a_service_killed_while_it_posts_shows_nothing_twice(tmp_path: Path) -> None:
    assert await play(tmp_path, ROUNDS, SEED) == []
