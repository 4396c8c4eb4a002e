"""The files of a SQLite database: nobody else may read them, as nobody else may read the key."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy.engine import make_url

SUFFIXES = ("", "-wal", "-shm")


class NotPrivate(Exception):
    """A file of the database can be read by others and cannot be closed to them; the message says how."""


def sqlite_file(url: str) -> Path | None:
    """The file behind every link; None for PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database).resolve()


def make_private(url: str) -> list[Path]:
    """Take others' rights to the database away; the files that needed it. Raises NotPrivate."""
    main = sqlite_file(url)
    repaired = []
    for path in [Path(f"{main}{suffix}") for suffix in SUFFIXES] if main else []:
        try:
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
                repaired.append(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise NotPrivate(f"{path} can be read by others; run `chmod 600 {path}`") from error
    return repaired


def copy_sqlite(source: Path, target: Path) -> None:
    """One consistent copy, also while a service writes; raises FileExistsError rather than replace a file.

    SQLite's own way to copy reads pages and what stands in the write-ahead log alike. The copy is whole or
    not there, and private.
    """
    if target.exists():
        raise FileExistsError(target)
    aside = target.with_name(f".{target.name}.part")
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        with (
            sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True) as original,
            sqlite3.connect(aside) as copy,
        ):
            original.backup(copy, pages=4096, sleep=0.01)
            copy.execute("PRAGMA journal_mode = DELETE")
        original.close()
        copy.close()
        descriptor = os.open(aside, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        target.hardlink_to(aside)
    finally:
        aside.unlink(missing_ok=True)
