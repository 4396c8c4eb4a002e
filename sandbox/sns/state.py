"""What the stand-ins keep: posts by service and account, and the faults that are to come."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from itertools import count
from time import time
from typing import Any


@dataclass(slots=True)
class Post:
    """One post. `state`: out, edited or deleted; `text` is what is shown now, `first_text` what was posted."""

    service: str
    account: str
    number: str
    text: str
    created_at: float
    reply_to: str = ""
    state: str = "out"
    first_text: str = ""
    key: str = ""
    picture: bytes = field(default=b"", repr=False)
    raw: Any = None

    def __post_init__(self) -> None:
        self.first_text = self.first_text or self.text

    def shown(self) -> dict[str, Any]:
        found = asdict(self)
        found["picture"] = len(self.picture)
        return found


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of the next call that writes. `status` is answered instead, with `body` and `retry_after`.

    `wait` seconds pass first. `lost`: the call is carried out and the connection cut before the answer. `at`: only
    a call with this in its path.
    """

    status: int = 0
    body: str = "{}"
    retry_after: str = ""
    wait: float = 0.0
    lost: bool = False
    at: str = ""


class SnsSandbox:
    """All services together. Any token names an account of its own; those in `refused_tokens` are expired."""

    def __init__(self, *, keep: int = 5_000) -> None:
        self.posts: deque[Post] = deque(maxlen=keep)
        self.faults: dict[str, deque[Fault]] = {}
        self.refused_tokens: set[str] = set()
        self.suspended: set[str] = set()
        # Whether edits and deletions are still taken.
        self.edits_allowed = True
        self.latency = 0.0
        self.calls: deque[tuple[str, str, str]] = deque(maxlen=keep)
        self._numbers = count(1)

    def add(self, service: str, account: str, text: str, number: str = "", **more: Any) -> Post:
        made = Post(service, account, number or str(1_000_000 + next(self._numbers)), text, time(), **more)
        self.posts.append(made)
        return made

    def of(self, service: str, account: str = "") -> list[Post]:
        """Those that are still there, the oldest first."""
        return [
            item
            for item in self.posts
            if item.service == service and account in ("", item.account) and item.state != "deleted"
        ]

    def find(self, service: str, number: str, account: str = "") -> Post | None:
        return next((item for item in self.of(service, account) if item.number == number), None)

    def fail(self, service: str, *faults: Fault) -> None:
        """What becomes of the next calls that write there."""
        self.faults.setdefault(service, deque()).extend(faults)

    def next_fault(self, service: str, path: str) -> Fault | None:
        waiting = self.faults.get(service)
        return waiting.popleft() if waiting and waiting[0].at in path else None

    def clear(self) -> None:
        self.posts.clear()
        self.faults.clear()
        self.calls.clear()
