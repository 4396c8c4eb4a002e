"""Random texts of every script as posts of every service: none over its limit, every mark there, nothing lost."""

from __future__ import annotations

import random

import pytest

from tests.channels.fitting import problem, random_text
from tests.channels.posting import NAMES

TEXTS = 150


@pytest.mark.parametrize("name", NAMES)
def test_every_post_fits_as_its_service_counts_and_nothing_is_lost(name: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    of = random.Random(seed)
    for _ in range(TEXTS):
        text = random_text(of)
        found = problem(name, text, of.choice(("live", "drill")))
        assert not found, f"{found} (seed {seed}): {text!r}"
