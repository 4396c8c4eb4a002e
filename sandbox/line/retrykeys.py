"""Retry keys: a request that was accepted once is not accepted again within 24 hours.

LINE Messaging API reference, #retry-api-request. Keys belong to a channel and are shared by the four
endpoints that take them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from sandbox.line.errors import ApiError
from sandbox.line.ids import RETRY_KEY

log = logging.getLogger(__name__)

KEPT_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Accepted:
    """The first request under a key. `body_hash` tells whether a later one has the same body."""

    request_id: str
    body_hash: int
    sent_messages: list[dict[str, Any]] | None
    until_ms: int


class RetryKeys:
    """The keys of one channel, by their lower-case text."""

    def __init__(self) -> None:
        self._accepted: dict[str, Accepted] = {}
        self.mismatches = 0

    def seen(self, key: str, now_ms: int) -> Accepted | None:
        """What was accepted under this key within its 24 hours."""
        accepted = self._accepted.get(key.lower())
        return accepted if accepted is not None and now_ms < accepted.until_ms else None

    def refuse_known(self, key: str, body_hash: int, now_ms: int, mismatch: str) -> None:
        """Raise what LINE answers to a key that it knows; nothing for a new key.

        `mismatch` is the knob for a known key with another body: "409", "400" or "accept".
        """
        first = self.seen(key, now_ms)
        if first is None:
            return
        if first.body_hash != body_hash:
            self.mismatches += 1
            log.warning("retryKeyBodyMismatch: a known retry key came with another body")
            if mismatch == "accept":
                return
            if mismatch == "400":
                raise ApiError(400, "The retry key was used with another request")
        raise ApiError(
            409,
            "The retry key is already accepted",
            headers={"x-line-accepted-request-id": first.request_id},
            sent_messages=first.sent_messages,
        )

    def remember(self, key: str, accepted: Accepted) -> None:
        """Note the accepted request, in the same step as its delivery."""
        self._accepted[key.lower()] = accepted


def check_form(key: str) -> None:
    """400 unless the key is the text of a UUID. The wording is ours: LINE does not document one."""
    if not RETRY_KEY.match(key):
        raise ApiError(400, "The value for the 'X-Line-Retry-Key' parameter is invalid")
