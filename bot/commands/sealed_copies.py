"""Copies that only the holder of a private key can open, in the format of age (age-encryption.org/v1), so that its own
program opens them too. The private key has no place on the machine that makes the copies."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.common import FAILED, USAGE, fail, talk

if TYPE_CHECKING:
    from pyrage.x25519 import Identity, Recipient

MAGIC = b"age-encryption.org/v1"
LONGEST_KEY = 10_000


def backup_key(
    file: Annotated[
        Path, typer.Argument(help="A new file for the private key: keep it away from this machine.")
    ],
) -> None:
    """Make a pair of keys for encrypted copies: the private one into FILE, the public one (age1…) on stdout."""
    from pyrage import x25519

    made = x25519.Identity.generate()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(f"# public key: {made.to_public()}\n{made}\n")
    except OSError as error:
        fail(f"{file} に書けません({error.strerror})。", FAILED)
    talk.print(
        f"秘密の鍵を {file} に書きました。この機器から移し、紙やUSBメモリーなどで二か所に保管してください。"
        "なくすと、控えは二度と開けません。次の行は公開してよい鍵で、`kairanban backup 控え --to` に使います。",
        highlight=False,
        soft_wrap=True,
    )
    typer.echo(str(made.to_public()))


def read_recipients(texts: list[str]) -> list[Recipient]:
    """Ends the command when one is no public key."""
    from pyrage import RecipientError, x25519

    found = []
    for text in texts:
        try:
            found.append(x25519.Recipient.from_str(text.strip()))
        except RecipientError:
            fail("--to: age1 で始まる公開の鍵を書いてください(`kairanban backup-key` が作ります)。", USAGE)
    return found


@contextmanager
def sealed_into(file: Path, recipients: list[Recipient]) -> Iterator[Path]:
    """Where to write the copy in clear: readable for us alone, and gone when it stands sealed in `file`."""
    if not recipients:
        yield file
        return
    if file.exists():
        fail(f"{file} exists; choose a new name.", FAILED)
    plain, aside = _beside(file, "plain"), _beside(file, "sealed")
    try:
        yield plain
        from pyrage import encrypt_file

        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        encrypt_file(str(plain), str(aside), recipients)
        aside.rename(file)
    finally:
        plain.unlink(missing_ok=True)
        aside.unlink(missing_ok=True)


@contextmanager
def opened_copy(file: Path, identity: Path | None) -> Iterator[Path]:
    """A copy in clear: itself, or opened beside it for as long as it is needed."""
    if not is_sealed(file):
        yield file
        return
    if identity is None:
        fail(f"{file} は暗号にした控えです。--identity に、秘密の鍵のファイルを指定してください。", USAGE)
    from pyrage import DecryptError, decrypt_file

    plain = _beside(file, "plain")
    key = _read_identity(identity)
    try:
        os.close(os.open(plain, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            decrypt_file(str(file), str(plain), [key])
        except DecryptError:
            fail(f"{file} をこの鍵で開けません。別の鍵で作られたか、壊れています。", FAILED)
        yield plain
    finally:
        plain.unlink(missing_ok=True)


def is_sealed(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(MAGIC)) == MAGIC


def _read_identity(file: Path) -> Identity:
    from pyrage import IdentityError, x25519

    try:
        text = file.read_text("utf-8")[:LONGEST_KEY]
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        return x25519.Identity.from_str(lines[0] if lines else "")
    except (OSError, UnicodeDecodeError, IdentityError):
        fail(f"--identity: {file} に秘密の鍵(AGE-SECRET-KEY-…)がありません。", USAGE)


def _beside(file: Path, what: str) -> Path:
    return file.with_name(f".{file.name}.{what}-{secrets.token_hex(4)}")
