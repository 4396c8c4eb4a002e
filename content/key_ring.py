"""Which keys are used for what: the one that seals, and for each purpose those of its own, rotated apart.

A purpose whose keys were never rotated has one, derived from the first key of the file. From the first rotation on its
keys are random, and lie in the database sealed with the key in force (content.database.secret_keys).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class KeyPurpose(StrEnum):
    """What a key of its own serves; the value is what commands call it."""

    SESSIONS = "sessions"
    LINKS = "links"
    AUDIT = "audit"
    ALERTS = "alerts"
    # Message-IDs. Never rotated: a mail that is sent again after a rotation must bear the one that it had.
    MAILS = "mails"


# What the first key of a purpose is derived as, and whether it is another one in each database.
DERIVED = {
    KeyPurpose.SESSIONS: (b"session", True),
    KeyPurpose.LINKS: (b"token", True),
    KeyPurpose.AUDIT: (b"audit", False),
    KeyPurpose.ALERTS: (b"alert", True),
    KeyPurpose.MAILS: (b"token", True),
}


@dataclass(frozen=True, slots=True)
class PurposeKey:
    """One key of a purpose. It makes new things from `since` on, until the next one does; what it made is believed
    before `until` (ms), or always. Links of the audit trail are its own behind the number `after_link`."""

    generation: int
    secret: bytes = field(repr=False)
    since: int = 0
    until: int | None = None
    after_link: int = 0


@dataclass(frozen=True, slots=True)
class KeyRing:
    """What the database says of its keys. `sealing`: the number of the key in force, 0 for the first of the file."""

    sealing: int = 0
    of_purpose: Mapping[KeyPurpose, tuple[PurposeKey, ...]] = field(default_factory=dict)

    def keys_of(self, purpose: KeyPurpose, first: bytes, identity: str, at: int) -> tuple[PurposeKey, ...]:
        """Those that are believed at this moment (ms); the one that makes new things first, then the others."""
        known = self.of_purpose.get(purpose) or (first_of(purpose, first, identity),)
        believed = [key for key in known if key.until is None or at < key.until]
        begun = [key for key in believed if key.since <= at] or believed[:1]
        newest = begun[-1]
        return (newest, *(key for key in believed if key is not newest))


def first_of(purpose: KeyPurpose, root: bytes, identity: str) -> PurposeKey:
    """The key that a purpose has as long as nobody rotates it."""
    name, of_database = DERIVED[purpose]
    return PurposeKey(0, derive(root, name, identity if of_database else ""))


def derive(root: bytes, purpose: bytes, identity: str = "") -> bytes:
    info = b" ".join(filter(None, (b"kairanban", purpose, identity.encode())))
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(root)
