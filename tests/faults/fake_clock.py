"""A clock for one process that can be set while it runs (libfaketime); monotonic time goes on as it does."""

from __future__ import annotations

import os
from pathlib import Path

from tests.services import service_missing

LIBRARY = "faketime/libfaketimeMT.so.1"


class FakeClock:
    """`environment` is for the process; `set_ahead` sets its clock by so many seconds against the true one."""

    def __init__(self, folder: Path) -> None:
        library = next(Path("/usr/lib").glob(f"*/{LIBRARY}"), None)
        if library is None:
            service_missing("libfaketime is missing: apt-get install faketime")
        self._file = folder / "clock"
        self.set_ahead(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set_ahead(self, seconds: int) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}s\n")
        # Replaced in one step: an empty file would be read as no change at all.
        os.replace(new, self._file)
