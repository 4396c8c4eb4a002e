"""Sealed addresses, keyed look-up hashes and signed tokens, all derived from one secret key file.

The file holds lines `number base64(32 bytes)`, the newest last. Addresses are sealed with the
newest key and opened with the one whose number they carry, so a key can be replaced while the
service runs. Look-ups and tokens always use the first key.

A seal is bound to its place: the database and the row. Copied elsewhere it does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ROOT_BYTES = 32
NONCE_BYTES = 12
TOKEN_MAC_BYTES = 12
CHECK_BYTES = 16
# The first byte of a seal that is bound to its place. Keys are numbered from 1: those of before begin with that.
BOUND = 0


class KeyFileError(Exception):
    """The secret key file is missing, readable by others, or not in its form."""


class SealMisplaced(KeyFileError):
    """A seal of a key that we have does not open here: made by another key of this number, for another row, or changed."""


def is_bound(sealed: bytes) -> bool:
    """Whether a seal is bound to its place; those of earlier versions are not."""
    return sealed[0] == BOUND


class Keys:
    """Derived keys. `seal`/`open` addresses, `lookup` hashes, `sign`/`verify` tokens."""

    def __init__(self, roots: dict[int, bytes], identity: str = "") -> None:
        if not roots:
            raise KeyFileError("the secret key file holds no key; run `kairanban init`")
        self._sealing = {number: AESGCM(_derive(root, b"seal")) for number, root in roots.items()}
        self._of_bound = {bytes([BOUND, number]): cipher for number, cipher in self._sealing.items()}
        self._newest = max(roots)
        self._identity = identity
        first = roots[min(roots)]
        self._roots = roots
        self._lookup_mac = hmac.new(_derive(first, b"lookup"), digestmod=hashlib.sha256)
        # Made for every mail. BLAKE2 takes a key by itself (RFC 7693 §2.5) and a third of the time of HMAC.
        self._token_mac = hashlib.blake2b(key=_derive(first, b"token", identity), digest_size=TOKEN_MAC_BYTES)
        self.session_secret = _derive(first, b"session", identity).hex()
        self.audit_secret = _derive(first, b"audit")
        # Below the order of every curve of 256 bits, and never 0: a private key as it is.
        self.alert_secret = int.from_bytes(_derive(first, b"alert", identity)) >> 1 | 1
        # Kept in the database: it proves that this key is the one, and tells nothing else about it.
        self.check = _derive(first, b"check")[:CHECK_BYTES]

    def bound_to(self, identity: str) -> Keys:
        """The same keys for one database: tokens, sessions and seals of another mean nothing to them."""
        return Keys(self._roots, identity)

    def seal(self, plain: str, place: str) -> bytes:
        """BOUND, key number (1 byte each), nonce (12 bytes), AES-256-GCM ciphertext with tag over place and text.

        `place` names the row that it is for.
        """
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._sealing[self._newest].encrypt(nonce, plain.encode(), self._bound_to_place(place))
        return bytes([BOUND, self._newest]) + nonce + sealed

    def open(self, sealed: bytes, place: str) -> str:
        """Raises KeyFileError when no key of the file opens it, and SealMisplaced when it was made for another place."""
        bound = sealed[0] == BOUND
        at = 1 if bound else 0
        number, end = sealed[at], at + 1 + NONCE_BYTES
        try:
            cipher = self._sealing[number]
            about = self._bound_to_place(place) if bound else None
            return cipher.decrypt(sealed[at + 1 : end], sealed[end:], about).decode()
        except KeyError:
            raise KeyFileError(f"sealed with key {number}, which the secret key file does not hold") from None
        except InvalidTag as error:
            raise SealMisplaced(
                "the secret key file does not belong to this database, or what was sealed stands in another place"
            ) from error

    def open_many(self, pairs: Iterable[tuple[bytes, str]]) -> list[str | None]:
        """`open` of each (sealed, place) in the same order, None for what does not open in its place.

        Raises KeyFileError when a key is missing: then it is not the rows that are to blame.
        """
        rows = list(pairs)
        try:
            return self._open_all(rows)
        except (KeyError, InvalidTag):
            return [self._open_or_none(sealed, place) for sealed, place in rows]

    def _open_all(self, rows: list[tuple[bytes, str]]) -> list[str | None]:
        """As `open`, where every one opens: without a call and a try for each, in a third of the time."""
        ciphers, database, start, end = self._of_bound, f"{self._identity}\n", 2, 2 + NONCE_BYTES
        return [
            ciphers[sealed[:start]]
            .decrypt(sealed[start:end], sealed[end:], (database + place).encode())
            .decode()
            for sealed, place in rows
        ]

    def _open_or_none(self, sealed: bytes, place: str) -> str | None:
        try:
            return self.open(sealed, place) if sealed else None
        except SealMisplaced:
            return None

    def _bound_to_place(self, place: str) -> bytes:
        return f"{self._identity}\n{place}".encode()

    def lookup(self, account: str, address: str) -> bytes:
        """16 bytes that find an address on an account without telling it."""
        # Not hmac.digest: it sets the key up each time, and gives the interpreter up to other threads.
        mac = self._lookup_mac.copy()
        mac.update(f"{account}\n{address}".encode())
        return mac.digest()[:16]

    def mark(self, purpose: str, value: str) -> str:
        """16 URL-safe characters that nobody else can make for this value."""
        return base64.urlsafe_b64encode(self._keyed(purpose, value)).decode()

    def number(self, purpose: str, value: str) -> int:
        """64 bits that nobody else can make for this value."""
        return int.from_bytes(self._keyed(purpose, value)[:8])

    def _keyed(self, purpose: str, value: str) -> bytes:
        mac = self._token_mac.copy()
        mac.update(f"{purpose}\n{value}".encode())
        return mac.digest()

    def folded_mark(self, purpose: str, value: str) -> str:
        """The same in 24 hexadecimal digits, for where capital letters get lost on the way."""
        mac = self._token_mac.copy()
        mac.update(f"{purpose}\n{value}".encode())
        return mac.hexdigest()

    def sign(self, purpose: str, value: str, salt: int = 0) -> str:
        """`value.mac`, URL-safe. The purpose keeps a token from serving elsewhere, the salt (random, kept with
        what `value` names) from serving whoever comes to bear the same value."""
        mark = self.mark(purpose, f"{value}\n{salt}")
        return f"{value}.{mark}"

    def verify(self, purpose: str, token: str, salt: int = 0) -> str | None:
        """The value inside a token of `sign`, or None when it is not ours."""
        value = token.rpartition(".")[0]
        # Links arrive in any shape, and compare_digest takes ASCII alone.
        if not value or not token.isascii():
            return None
        return value if hmac.compare_digest(self.sign(purpose, value, salt), token) else None


def _derive(root: bytes, purpose: bytes, identity: str = "") -> bytes:
    info = b" ".join(filter(None, (b"kairanban", purpose, identity.encode())))
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(root)


def create_key_file(path: Path, *, replace_empty: bool = False) -> None:
    """Write a new file with one random key, mode 0600. Raises FileExistsError rather than replace one.

    It appears whole or not at all, whenever the machine stops. `replace_empty`: a file without a byte, which
    an older version left when it was stopped, is no key.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(_line(1))
            file.flush()
            os.fsync(file.fileno())
        if replace_empty and path.is_file() and path.stat().st_size == 0:
            aside.replace(path)
        else:
            path.hardlink_to(aside)
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


def load_keys(path: Path) -> Keys:
    """Raises KeyFileError with the remedy."""
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
        return Keys(roots)
    except ValueError as error:
        raise KeyFileError(f"{path} is not a secret key file; restore it from the backup") from error


def _in_form(row: tuple[int, bytes]) -> bool:
    # The number is one byte of every seal; a shorter key is a file that was cut off.
    number, root = row
    return 1 <= number <= 255 and len(root) == ROOT_BYTES


def _line(number: int) -> str:
    return f"{number} {base64.b64encode(secrets.token_bytes(ROOT_BYTES)).decode()}\n"
