"""A disk for one database that can be full: a small tmpfs, or where nothing may be mounted a limit on file sizes."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SPACE = 64 << 20


class SmallDisk:
    """`url` is that of a copied database. `fill` leaves the process no byte, `free` gives all back."""

    def __init__(self, folder: Path, *, mounted: bool) -> None:
        self._folder = folder
        self._mounted = mounted
        self._ballast = folder / "ballast"
        self.url = f"sqlite:///{folder}/kairanban.db"

    def fill(self, pid: int) -> None:
        if not self._mounted:
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
            return
        fill_up(self._ballast)

    def free(self, pid: int) -> None:
        if not self._mounted:
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
            return
        self._ballast.unlink()


def mount_small(place: Path) -> bool:
    """Whether a tmpfs of SPACE bytes could be mounted there."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SPACE}", "none", str(place)]
    return os.geteuid() == 0 and not subprocess.run(mount, check=False, capture_output=True).returncode


def fill_up(ballast: Path) -> None:
    """With this file, to the last byte."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


@asynccontextmanager
async def small_disk(folder: Path, like: Path) -> AsyncIterator[SmallDisk]:
    """With a copy of the database in `like`."""
    place = folder / "disk"
    place.mkdir()
    mounted = mount_small(place)
    try:
        shutil.copy2(like / "kairanban.db", place)
        yield SmallDisk(place, mounted=mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=True)
