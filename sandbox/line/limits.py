"""Rate limits: a token bucket per channel, method and route template.

LINE Messaging API reference, #rate-limits and #rate-limits-scope. The capacity of the buckets is not
published; here a bucket holds what one period allows.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.line.config import Config

Rate = tuple[int, int]  # how many, in how many seconds

DEFAULT: Rate = (2000, 1)
MULTICAST: Rate = (200, 1)
LOADING: Rate = (100, 1)
TOKEN_ISSUE: Rate = (370, 1)
MENU_LIST: Rate = (10, 1)
PER_HOUR_3: Rate = (3, 3600)
PER_HOUR_60: Rate = (60, 3600)
PER_HOUR_100: Rate = (100, 3600)
PER_MINUTE_60: Rate = (60, 60)
PER_MINUTE_1000: Rate = (1000, 60)


@dataclass(slots=True)
class _Bucket:
    level: float
    seen_ms: int


class RateLimiter:
    """The buckets of one channel. Time is the sandbox's: a frozen clock never refills a bucket."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._buckets: dict[str, _Bucket] = {}
        self._emptied: dict[str, int] = {}

    def allow(self, route: str, rate: Rate, now_ms: int) -> bool:
        """Take one token for `route` ("METHOD /template"); False when there is none."""
        if self._emptied and self._emptied.get(route, 0) > now_ms:
            return False
        if self._config["rate.off"]:
            return True
        capacity = self._capacity(route, rate)
        bucket = self._buckets.setdefault(route, _Bucket(capacity, now_ms))
        refill = (now_ms - bucket.seen_ms) / 1000 * rate[0] * self._config["rate.scale"] / rate[1]
        bucket.level = min(capacity, bucket.level + max(0.0, refill))
        bucket.seen_ms = now_ms
        if bucket.level < 1:
            return False
        bucket.level -= 1
        return True

    def empty(self, route: str, until_ms: int) -> None:
        """Hold a bucket empty for a while (fault `rateBurst`)."""
        self._emptied[route] = until_ms

    def _capacity(self, route: str, rate: Rate) -> float:
        wanted = self._config["rate.capacity"].get(route)
        return float(wanted) if wanted is not None else max(1.0, rate[0] * self._config["rate.scale"])
