"""A copy of a PostgreSQL database sends nothing: two here, fifty in `make drill-faults`."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.faults.copied_postgres import WAYS, trials
from tests.services import service_missing

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.services]


async def test_a_copy_made_by_postgres_itself_sends_nothing(tmp_path: Path) -> None:
    if not shutil.which("pg_dump"):
        service_missing("pg_dump is not installed; it comes with postgresql-client")
    seed = random.randrange(1 << 32)
    # Shown by pytest with a failure.
    print(f"seed {seed}")
    await trials(tmp_path, len(WAYS), seed)
