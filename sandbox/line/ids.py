"""Identifiers in LINE's shapes, drawn from one seeded source so that a run can be repeated."""

from __future__ import annotations

import random
import re
import string
import uuid

USER_ID = re.compile(r"U[0-9a-f]{32}\Z")
RETRY_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALNUM = string.ascii_letters + string.digits


class IdSource:
    """Makes every identifier of a sandbox; the same seed and calls give the same identifiers."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable on purpose, protects nothing
        self._message = 400_000_000_000_000_000 + self.random.randrange(10**15)

    def hex32(self) -> str:
        """32 lower-case hex digits: reply tokens, secrets, the tail of user and rich menu ids."""
        return f"{self.random.getrandbits(128):032x}"

    def user_id(self) -> str:
        """`U` and 32 hex digits."""
        return "U" + self.hex32()

    def request_id(self) -> str:
        """A UUID, as in `x-line-request-id`."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def message_id(self) -> str:
        """18 decimal digits, growing."""
        self._message += 1 + self.random.randrange(1000)
        return str(self._message)

    def ulid(self, at_ms: int) -> str:
        """A ULID of the given time: `webhookEventId`."""
        value = (at_ms << 80) | self.random.getrandbits(80)
        return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))

    def alnum(self, length: int) -> str:
        """Letters and digits: link tokens (32), access tokens, quote tokens, continuation tokens."""
        return "".join(self.random.choices(_ALNUM, k=length))
