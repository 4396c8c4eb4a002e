"""Sealed addresses, keyed look-up hashes and signed tokens, all derived from the secret key file.

Addresses are sealed with the key in force and opened with the one whose number they carry, so a key can be replaced
while the service runs: every process takes the same object in all its rooms, and `renew` exchanges what is in it.

A seal is bound to its place: the database and the row. Copied elsewhere it does not open.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from content.clock import now_ms
from content.key_file import KeyFileError, read_roots
from content.key_ring import KeyPurpose, KeyRing, PurposeKey, derive

NONCE_BYTES = 12
TOKEN_MAC_BYTES = 12
CHECK_BYTES = 16
# The first byte of a seal that is bound to its place. Keys are numbered from 1: those of before begin with that.
BOUND = 0
NO_RING = KeyRing()


class SealMisplaced(KeyFileError):
    """A seal of a key that we have does not open here: made by another key of this number, for another row, or changed."""


def is_bound(sealed: bytes) -> bool:
    """Whether a seal is bound to its place; those of earlier versions are not."""
    return sealed[0] == BOUND


@dataclass(frozen=True, slots=True)
class _Held:
    """All that one state of the file and of the ring gives; exchanged as a whole."""

    roots: Mapping[int, bytes]
    ring: KeyRing
    sealing: int
    ciphers: Mapping[int, AESGCM]
    of_bound: Mapping[bytes, AESGCM]
    # Of every key that is held, the one in force first.
    lookups: tuple[hmac.HMAC, ...]
    # BLAKE2 takes a key by itself (RFC 7693 §2.5) and a third of the time of HMAC; the one that makes links first.
    links: tuple[hashlib.blake2b, ...]
    mails: hashlib.blake2b
    of_purpose: Mapping[KeyPurpose, tuple[PurposeKey, ...]]


class Keys:
    """Derived keys. `seal`/`open` addresses, `lookup` hashes, `sign`/`verify` tokens."""

    def __init__(
        self, roots: Mapping[int, bytes], identity: str = "", ring: KeyRing = NO_RING, at: int | None = None
    ) -> None:
        self.identity = identity
        self.renew(roots, ring, now_ms() if at is None else at)

    def renew(self, roots: Mapping[int, bytes], ring: KeyRing, at: int) -> None:
        """From here on what the file and the database say now (ms); what is under way ends with what it began with."""
        if not roots:
            raise KeyFileError("the secret key file holds no key; run `kairanban init`")
        first = min(roots)
        sealing = ring.sealing or first
        ciphers = {number: AESGCM(derive(root, b"seal")) for number, root in roots.items()}
        of_purpose = {
            purpose: ring.keys_of(purpose, roots[first], self.identity, at) for purpose in KeyPurpose
        }
        self._held = _Held(
            roots=dict(roots),
            ring=ring,
            sealing=sealing,
            ciphers=ciphers,
            of_bound={bytes([BOUND, number]): cipher for number, cipher in ciphers.items()},
            lookups=tuple(
                hmac.new(derive(roots[number], b"lookup"), digestmod=hashlib.sha256)
                for number in sorted(roots, key=lambda number: (number != sealing, number))
            ),
            links=tuple(_token_mac(key) for key in of_purpose[KeyPurpose.LINKS]),
            mails=_token_mac(of_purpose[KeyPurpose.MAILS][0]),
            of_purpose=of_purpose,
        )

    def bound_to(self, identity: str, ring: KeyRing = NO_RING, at: int | None = None) -> Keys:
        """The same keys for one database: tokens, sessions and seals of another mean nothing to them."""
        return Keys(self._held.roots, identity, ring, at)

    @property
    def roots(self) -> Mapping[int, bytes]:
        return self._held.roots

    @property
    def ring(self) -> KeyRing:
        return self._held.ring

    @property
    def numbers(self) -> frozenset[int]:
        """Of the keys that are held."""
        return frozenset(self._held.roots)

    @property
    def sealing(self) -> int:
        """The number of the key in force."""
        return self._held.sealing

    def check_of(self, number: int) -> bytes:
        """Kept in the database: it proves that a key is the one, and tells nothing else about it."""
        return derive(self._held.roots[number], b"check")[:CHECK_BYTES]

    @property
    def check(self) -> bytes:
        """Of the key in force, which whoever opens this database must hold."""
        return self.check_of(self.sealing)

    def holds(self, check: bytes | None) -> bool:
        return any(self.check_of(number) == check for number in self.numbers)

    def of_purpose(self, purpose: KeyPurpose) -> tuple[PurposeKey, ...]:
        """Those that are believed, the one that makes new things first."""
        return self._held.of_purpose[purpose]

    @property
    def session_secret(self) -> str:
        return self.of_purpose(KeyPurpose.SESSIONS)[0].secret.hex()

    @property
    def alert_secret(self) -> int:
        # Below the order of every curve of 256 bits, and never 0: a private key as it is.
        return int.from_bytes(self.of_purpose(KeyPurpose.ALERTS)[0].secret) >> 1 | 1

    def seal(self, plain: str, place: str) -> bytes:
        """BOUND, key number (1 byte each), nonce (12 bytes), AES-256-GCM ciphertext with tag over place and text.

        `place` names the row that it is for. Raises KeyFileError when the key in force is not in the file.
        """
        held = self._held
        if held.sealing not in held.ciphers:
            raise KeyFileError(_lacks(held.sealing))
        nonce = os.urandom(NONCE_BYTES)
        sealed = held.ciphers[held.sealing].encrypt(nonce, plain.encode(), self._bound_to_place(place))
        return bytes([BOUND, held.sealing]) + nonce + sealed

    def open(self, sealed: bytes, place: str) -> str:
        """Raises KeyFileError when no key of the file opens it, and SealMisplaced when it was made for another place."""
        bound = sealed[0] == BOUND
        at = 1 if bound else 0
        number, end = sealed[at], at + 1 + NONCE_BYTES
        try:
            cipher = self._held.ciphers[number]
            about = self._bound_to_place(place) if bound else None
            return cipher.decrypt(sealed[at + 1 : end], sealed[end:], about).decode()
        except KeyError:
            raise KeyFileError(_lacks(number)) from None
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
        ciphers, database, start, end = self._held.of_bound, f"{self.identity}\n", 2, 2 + NONCE_BYTES
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
        return f"{self.identity}\n{place}".encode()

    def lookup(self, account: str, address: str) -> bytes:
        """16 bytes that find an address on an account without telling it: what is written now."""
        return _lookup(self._held.lookups[0], account, address)

    def lookups(self, account: str, address: str) -> tuple[bytes, ...]:
        """Every one under which the address may stand, that of `lookup` first: more than one while keys change."""
        return tuple(_lookup(mac, account, address) for mac in self._held.lookups)

    @property
    def is_changing(self) -> bool:
        """Whether addresses may stand under the look-ups of more than one key."""
        return len(self._held.lookups) > 1

    def mark(self, purpose: str, value: str) -> str:
        """16 URL-safe characters that nobody else can make for this value."""
        return _mark(self._held.links[0], purpose, value)

    def is_mark(self, purpose: str, value: str, mark: str) -> bool:
        """Whether `mark` made it."""
        return mark.isascii() and any(
            hmac.compare_digest(_mark(mac, purpose, value), mark) for mac in self._held.links
        )

    def message_number(self, value: str) -> int:
        """64 bits that nobody else can make for this value, and that are the same for ever."""
        return int.from_bytes(_keyed(self._held.mails, "mail", value).digest()[:8])

    def folded_mark(self, purpose: str, value: str) -> str:
        """24 hexadecimal digits, as `mark`, for where capital letters get lost on the way."""
        return _keyed(self._held.links[0], purpose, value).hexdigest()

    def is_folded_mark(self, purpose: str, value: str, mark: str) -> bool:
        """Whether `folded_mark` made it."""
        return mark.isascii() and any(
            hmac.compare_digest(_keyed(mac, purpose, value).hexdigest(), mark) for mac in self._held.links
        )

    def sign(self, purpose: str, value: str, salt: int = 0) -> str:
        """`value.mac`, URL-safe. The purpose keeps a token from serving elsewhere, the salt (random, kept with
        what `value` names) from serving whoever comes to bear the same value."""
        mark = self.mark(purpose, f"{value}\n{salt}")
        return f"{value}.{mark}"

    def verify(self, purpose: str, token: str, salt: int = 0) -> str | None:
        """The value inside a token of `sign`, or None when it is not ours."""
        value, _, mark = token.rpartition(".")
        # Links arrive in any shape, also with halves of characters.
        if not value or not token.isascii():
            return None
        return value if self.is_mark(purpose, f"{value}\n{salt}", mark) else None


def _lacks(number: int) -> str:
    return (
        f"sealed with key {number}, which the secret key file does not hold: bring the file of another machine of "
        "this service here, or that of its backup"
    )


def _token_mac(key: PurposeKey) -> hashlib.blake2b:
    return hashlib.blake2b(key=key.secret, digest_size=TOKEN_MAC_BYTES)


def _keyed(begun: hashlib.blake2b, purpose: str, value: str) -> hashlib.blake2b:
    mac = begun.copy()
    mac.update(f"{purpose}\n{value}".encode())
    return mac


def _mark(begun: hashlib.blake2b, purpose: str, value: str) -> str:
    return base64.urlsafe_b64encode(_keyed(begun, purpose, value).digest()).decode()


def _lookup(begun: hmac.HMAC, account: str, address: str) -> bytes:
    # Not hmac.digest: it sets the key up each time, and gives the interpreter up to other threads.
    mac = begun.copy()
    mac.update(f"{account}\n{address}".encode())
    return mac.digest()[:16]


def load_keys(path: Path) -> Keys:
    """Raises KeyFileError with the remedy."""
    return Keys(read_roots(path))
