"""What webhooks need of the platform and of one account: the ground that the whole sandbox stands on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from sandbox.line.clock import Clock
from sandbox.line.config import Config
from sandbox.line.faults import FaultBook
from sandbox.line.feed import Feed
from sandbox.line.ids import IdSource
from sandbox.line.options import SandboxOptions
from sandbox.line.replytokens import ReplyTokens


@dataclass(slots=True)
class Webhook:
    """Where the channel's events go. Redelivery is off by default, as at LINE."""

    url: str | None = None
    active: bool = True
    redelivery: bool = False
    timeout_ms: int = 2000


@dataclass(slots=True, eq=False, kw_only=True)
class Account:
    """The bot of one channel, as far as events to it are concerned."""

    channel_id: str
    secret: str = field(repr=False)
    bot_user_id: str
    webhook: Webhook
    reply_tokens: ReplyTokens = field(default_factory=ReplyTokens)
    # Of messages that residents sent: their tokens to be marked as read by, and what stands behind the id of a picture.
    read_tokens: dict[str, None] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)


class Platform:
    """Clock, knobs and faults, the feed that tells of everything, and jobs beside the requests."""

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self.feed = Feed()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.begin(options.seed)

    def begin(self, seed: int) -> None:
        """Everything back to its defaults."""
        self.clock = Clock()
        self.config = Config()
        self.config.change({"ledger": self.options.ledger})
        self.ids = IdSource(seed)
        self.faults = FaultBook(seed)
        self.outage_until_ms = 0
        # What scenarios changed beside their faults, to be taken back with these.
        self.undo: list[Callable[[], None]] = []

    def spawn(self, job: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine beside the requests; it ends with the sandbox."""
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(job)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
