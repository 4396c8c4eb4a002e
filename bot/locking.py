"""One at a time: who serves a SQLite database or exchanges it holds its lock file."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(Exception):
    """Another service has this SQLite database; the message names the lock file."""


@contextmanager
def locked(database_file: Path) -> Iterator[None]:
    """Alone with a SQLite file, by whatever link it was reached. Raises AlreadyRunning."""
    path = Path(f"{database_file.resolve()}.lock")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AlreadyRunning(
            f"another kairanban service uses this database (lock file {path}); stop it first"
        ) from error
    try:
        yield
    finally:
        os.close(descriptor)
