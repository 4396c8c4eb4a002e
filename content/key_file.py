"""The secret key file: lines `number base64(32 bytes)`. It lies beside the database and never in it.

It is only ever replaced as a whole, so that whoever reads it while it changes finds the old or the new one.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

ROOT_BYTES = 32
# The number is one byte of every seal.
LAST_NUMBER = 255


class KeyFileError(Exception):
    """The secret key file is missing, readable by others, or not in its form."""


def new_root() -> bytes:
    return secrets.token_bytes(ROOT_BYTES)


def create_key_file(path: Path, *, replace_empty: bool = False) -> None:
    """Write a new file with one random key, mode 0600. Raises FileExistsError rather than replace one.

    It appears whole or not at all, whenever the machine stops. `replace_empty`: a file without a byte, which
    an older version left when it was stopped, is no key.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _write_aside(path, {1: new_root()})
    try:
        if replace_empty and path.is_file() and path.stat().st_size == 0:
            aside.replace(path)
        else:
            path.hardlink_to(aside)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def read_roots(path: Path) -> dict[int, bytes]:
    """The keys by their numbers. Raises KeyFileError with the remedy."""
    if not path.is_file():
        raise KeyFileError(
            f"no secret key file at {path}; run `kairanban init` or restore it from the backup"
        )
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"{path} can be read by others; run `chmod 600 {path}`")
    try:
        rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
        roots = {int(number): base64.b64decode(key, validate=True) for number, key in rows}
        if len(roots) < len(rows) or not all(map(_in_form, roots.items())):
            raise ValueError("a number or a length is wrong")
    except ValueError as error:
        raise KeyFileError(f"{path} is not a secret key file; restore it from the backup") from error
    if not roots:
        raise KeyFileError("the secret key file holds no key; run `kairanban init`")
    return roots


def replace_roots(path: Path, roots: Mapping[int, bytes]) -> None:
    """Write these keys in the place of those that are there. Raises OSError; then the file is as it was."""
    before = path.stat()
    aside = _write_aside(path, roots)
    try:
        if os.geteuid() == 0:
            # An administrator's command must not take the file from the service's own user.
            os.chown(aside, before.st_uid, before.st_gid)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """A new name is only safe from a power cut when its folder is on the disk too."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_aside(path: Path, roots: Mapping[int, bytes]) -> Path:
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        for number, root in sorted(roots.items()):
            file.write(f"{number} {base64.b64encode(root).decode()}\n")
        file.flush()
        os.fsync(file.fileno())
    return aside


def _in_form(row: tuple[int, bytes]) -> bool:
    # A shorter key is a file that was cut off.
    number, root = row
    return 1 <= number <= LAST_NUMBER and len(root) == ROOT_BYTES
