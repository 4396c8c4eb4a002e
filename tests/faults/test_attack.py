"""Strangers at the door while an urgent notice goes out: a short run of `make attack`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.attack import attack

pytestmark = [pytest.mark.slow, pytest.mark.faults]


async def test_an_urgent_notice_goes_out_whatever_strangers_do(tmp_path: Path) -> None:
    names = ["idle_connections", "slow_bodies", "form_charsets", "malformed_requests"]
    said: list[str] = []
    # On a machine that does other work the figures say little; without a door it is never.
    assert await attack(tmp_path, 5_000, names, said.append, slack=15.0) == [], said
