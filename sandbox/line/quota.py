"""The monthly plan and what was used of it.

Counted are people reached by push, multicast, narrowcast and broadcast; replies are free. LINE
documentation, messaging-api/pricing. A new month begins at midnight in UTC+9 on the sandbox's clock.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from sandbox.line.clock import japan_day
from sandbox.line.errors import ApiError

PLANS: dict[str, int | None] = {
    "communication": 200,
    "light": 5_000,
    "standard": 30_000,
    "municipal": None,
}
_REMEMBERED_USES = 100_000


class Quota:
    """One channel's plan, use per month and successful sends per day and method."""

    def __init__(self, plan: str | dict[str, Any]) -> None:
        self.limit: int | None = None
        self.plan_name = ""
        self._months: Counter[str] = Counter()
        self._days: Counter[tuple[str, str]] = Counter()
        self._uses: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED_USES)
        self.reserved = 0
        self.change_plan(plan)

    def restore(self, limit: int | None, plan_name: str) -> None:
        """The plan of before."""
        self.limit, self.plan_name = limit, plan_name

    def change_plan(self, plan: str | dict[str, Any]) -> None:
        """Take a preset by name, or `{"type": "none"}`, or `{"type": "limited", "value": n}`.

        Raises ValueError for anything else.
        """
        if isinstance(plan, str):
            if plan not in PLANS:
                raise ValueError(f"plan must be one of {', '.join(PLANS)}")
            self.limit, self.plan_name = PLANS[plan], plan
            return
        value = plan.get("value")
        if plan.get("type") == "limited" and isinstance(value, int) and value >= 0:
            self.limit, self.plan_name = value, "custom"
        elif plan.get("type") == "none":
            self.limit, self.plan_name = None, "custom"
        else:
            raise ValueError('plan is {"type": "none"} or {"type": "limited", "value": n}')

    def used(self, now_ms: int, lag_seconds: float = 0) -> int:
        """People counted this month, as LINE would say it `lag_seconds` late."""
        total = self._months[japan_day(now_ms)[:6]]
        if not lag_seconds:
            return total
        since = now_ms - lag_seconds * 1000
        return max(0, total - sum(count for at, count in self._uses if at > since))

    def remaining(self, now_ms: int) -> int | None:
        """People that may still be reached this month; None: no limit."""
        return None if self.limit is None else max(0, self.limit - self.used(now_ms) - self.reserved)

    def require(self, count: int, now_ms: int) -> None:
        """Refuse with 429 when `count` people are more than the plan has left."""
        left = self.remaining(now_ms)
        if left is not None and count > left:
            raise ApiError(429, "You have reached your monthly limit.")

    def spend(self, method: str, count: int, now_ms: int) -> None:
        """Count `count` people reached by `method`."""
        day = japan_day(now_ms)
        self._days[(method, day)] += count
        if method != "reply":
            self._months[day[:6]] += count
            self._uses.append((now_ms, count))

    def sent_on(self, method: str, day: str) -> int:
        """Successful sends of a method on a day (yyyyMMdd, UTC+9)."""
        return self._days[(method, day)]
