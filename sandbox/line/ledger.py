"""What was delivered to whom: the evidence for "everyone exactly once"."""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.line.users import User

_KEPT_RECORDS = 100_000
_KEPT_TIMINGS = 20_000


@dataclass(slots=True)
class Tally:
    """Who got one alert (or what one retry key carried), as sets of user indexes."""

    first_at: int
    last_at: int = 0
    requests: int = 0
    delivered: int = 0
    users: set[int] = field(default_factory=set)
    repeated: set[int] = field(default_factory=set)

    def add(self, indexes: list[int], at_ms: int) -> None:
        """Count one accepted request that reached these users."""
        reached = set(indexes)
        self.repeated |= reached & self.users
        if len(reached) != len(indexes):
            self.repeated |= {index for index, times in Counter(indexes).items() if times > 1}
        self.users |= reached
        self.requests += 1
        self.delivered += len(indexes)
        self.last_at = at_ms

    def public(self) -> dict[str, Any]:
        """`users` distinct people, `duplicated` those who got it more than once."""
        return {
            "requests": self.requests,
            "delivered": self.delivered,
            "users": len(self.users),
            "duplicated": len(self.repeated),
            "firstAt": self.first_at,
            "lastAt": self.last_at,
        }


@dataclass(slots=True)
class Record:
    """One accepted send. `reached` are user indexes; `suppressed` pairs of user id and outcome."""

    request_id: str
    at_ms: int
    method: str
    tag: str
    retry_key: str | None
    message_ids: list[str]
    reached: array[int]
    suppressed: list[tuple[str, str]]


@dataclass(slots=True)
class MethodStats:
    """Counts of one method over its requests, and how long the answers took inside the sandbox."""

    requests: int = 0
    accepted: int = 0
    recipients: int = 0
    delivered: int = 0
    suppressed: Counter[str] = field(default_factory=Counter)
    first_at: int | None = None
    last_at: int | None = None
    timings: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_TIMINGS))

    def public(self) -> dict[str, Any]:
        """Times of deliveries are ms since the epoch; p50, p95 and p99 are ms per request."""
        return {
            "requests": self.requests,
            "accepted": self.accepted,
            "rejected": self.requests - self.accepted,
            "recipients": self.recipients,
            "delivered": self.delivered,
            "suppressed": dict(self.suppressed),
            "firstDeliveryAt": self.first_at,
            "lastDeliveryAt": self.last_at,
            **_percentiles(self.timings),
        }


class Ledger:
    """All deliveries of one channel."""

    def __init__(self) -> None:
        self.records: deque[Record] = deque(maxlen=_KEPT_RECORDS)
        self.alerts: dict[str, Tally] = {}
        self.retry_keys: dict[str, Tally] = {}
        self.methods: dict[str, MethodStats] = {}

    def method(self, name: str) -> MethodStats:
        """The counts of one method, made on first use."""
        return self.methods.setdefault(name, MethodStats())

    def add(self, record: Record) -> None:
        """Take up one accepted send."""
        indexes = record.reached.tolist()
        self.records.append(record)
        self._tally(self.alerts, record.tag, indexes, record.at_ms)
        if record.retry_key is not None:
            self._tally(self.retry_keys, record.retry_key, indexes, record.at_ms)
        stats = self.method(record.method)
        stats.recipients += len(indexes) + len(record.suppressed)
        stats.delivered += len(indexes)
        stats.suppressed.update(outcome for _, outcome in record.suppressed)
        if indexes:
            stats.first_at = stats.first_at or record.at_ms
            stats.last_at = record.at_ms

    def timed(self, method: str, accepted: bool, milliseconds: float) -> None:
        """Note how a request of this method was answered and how long that took."""
        stats = self.method(method)
        stats.requests += 1
        stats.accepted += accepted
        stats.timings.append(milliseconds)

    @staticmethod
    def _tally(tallies: dict[str, Tally], key: str, indexes: list[int], at_ms: int) -> None:
        tally = tallies.get(key)
        if tally is None:
            tally = tallies[key] = Tally(at_ms)
        tally.add(indexes, at_ms)


def expand(record: Record, users: Sequence[User], user: User | None = None) -> list[dict[str, Any]]:
    """One row per message and recipient, optionally of one user only."""
    user_id = user.user_id if user is not None else None
    reached = record.reached if user is None else [user.index] * record.reached.count(user.index)
    outcomes = [(users[i].user_id, "muted" if users[i].muted else "delivered") for i in reached]
    outcomes += [pair for pair in record.suppressed if user_id in (None, pair[0])]
    return [
        {
            "requestId": record.request_id,
            "messageId": message_id,
            "userId": recipient,
            "outcome": outcome,
            "method": record.method,
            "alert": record.tag,
            "retryKey": record.retry_key,
            "at": record.at_ms,
        }
        for recipient, outcome in outcomes
        for message_id in record.message_ids
    ]


def _percentiles(timings: Sequence[float]) -> dict[str, float | None]:
    ordered = sorted(timings)
    if not ordered:
        return {"p50": None, "p95": None, "p99": None}
    return {f"p{p}": round(ordered[min(len(ordered) - 1, len(ordered) * p // 100)], 3) for p in (50, 95, 99)}
