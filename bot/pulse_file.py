"""The file beside the key that remembers how far the database has counted."""

from __future__ import annotations

import json
import os
import secrets
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from content.key_file import sync_folder

# Bytes; always the same number, so that a newer pulse is written over an older one in a single piece.
LENGTH = 64


@dataclass(frozen=True, slots=True, order=True)
class Pulse:
    """What the file knows; a later one is greater."""

    epoch: int
    beat: int


class PulseFile:
    """The file as one process keeps it. Whatever thread writes: it never goes back."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._newest = Pulse(0, 0)

    def note(self, pulse: Pulse) -> None:
        """In microseconds: kept when the process is killed, not surely when the power fails.

        A file that is not there, or that cannot be written, is for `keep` to tell of.
        """
        with self._lock:
            self._newest = max(self._newest, pulse)
            try:
                descriptor = os.open(self._path, os.O_WRONLY)
            except OSError:
                return
            try:
                os.pwrite(descriptor, _content(self._newest), 0)
            except OSError:
                return
            finally:
                os.close(descriptor)

    def keep(self, pulse: Pulse) -> None:
        """On the disk when this returns. Raises OSError."""
        aside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.pwrite(descriptor, _content(pulse), 0)
            os.fsync(descriptor)
            with self._lock:
                # What was noted meanwhile; the lock is not held for as long as the disk takes.
                self._newest = max(self._newest, pulse)
                os.pwrite(descriptor, _content(self._newest), 0)
                aside.replace(self._path)
        finally:
            os.close(descriptor)
            aside.unlink(missing_ok=True)
        sync_folder(self._path.parent)


def pulse_file(key_file: Path, own_identity: str) -> Path:
    return key_file.with_name(f"heartbeat-{own_identity[:12]}.json")


def read_pulse(path: Path) -> Pulse | None:
    """None when there is none that can be read."""
    try:
        return Pulse(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_pulse(path: Path, pulse: Pulse) -> None:
    """Whole or not at all, and on the disk when this returns."""
    PulseFile(path).keep(pulse)


def _content(pulse: Pulse) -> bytes:
    return json.dumps(asdict(pulse)).encode().ljust(LENGTH)
