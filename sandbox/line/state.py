"""Everything a sandbox remembers, as one tree of plain objects."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.line.audience_group import AudienceGroup
from sandbox.line.chats import Chat
from sandbox.line.ledger import Ledger
from sandbox.line.limits import RateLimiter
from sandbox.line.options import SandboxOptions
from sandbox.line.platform import Account, Platform, Webhook
from sandbox.line.quota import Quota
from sandbox.line.retrykeys import RetryKeys
from sandbox.line.richmenus import RichMenus
from sandbox.line.tokens import Tokens
from sandbox.line.users import Users
from sandbox.line.webhooks import Dispatcher

ACCOUNT_TYPES = ("unverified", "verified", "premium")
_KEPT_REQUESTS = 10_000


@dataclass(slots=True)
class Job:
    """A narrowcast, or a batch of rich menus, on its way. Times in ms; `counts` are successCount, failureCount, targetCount."""

    phase: str
    accepted_at: int
    completed_at: int | None = None
    error_code: int | None = None
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Page:
    """A continuation token: what it continues, from where, until when (ms)."""

    kind: str
    offset: int
    until_ms: int


@dataclass(slots=True, eq=False, kw_only=True)
class Channel(Account):
    """One Messaging API channel with its users and everything sent through it."""

    basic_id: str
    name: str
    account_type: str
    quota: Quota
    limiter: RateLimiter
    dispatcher: Dispatcher = field(init=False)
    users: Users = field(default_factory=Users)
    menus: RichMenus = field(default_factory=RichMenus)
    ledger: Ledger = field(default_factory=Ledger)
    retry_keys: RetryKeys = field(default_factory=RetryKeys)
    jobs: dict[str, Job] = field(default_factory=dict)
    # Batches of rich menus by their request ids, and the keys with which one may be begun again.
    menu_jobs: dict[str, Job] = field(default_factory=dict)
    menu_resume_keys: set[str] = field(default_factory=set)
    liff_apps: dict[str, dict[str, Any]] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    units: dict[str, list[str]] = field(default_factory=dict)
    audiences: dict[int, AudienceGroup] = field(default_factory=dict)
    chats: dict[str, Chat] = field(default_factory=dict)
    link_tokens: dict[str, tuple[str, int]] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """The channel as the control API shows it; the secret stays in, it opens nothing real."""
        return {
            "channelId": self.channel_id,
            "channelSecret": self.secret,
            "botUserId": self.bot_user_id,
            "basicId": self.basic_id,
            "displayName": self.name,
            "accountType": self.account_type,
            "plan": {"name": self.quota.plan_name, "value": self.quota.limit},
            "webhook": {
                "url": self.webhook.url,
                "active": self.webhook.active,
                "redelivery": self.webhook.redelivery,
                "timeoutMs": self.webhook.timeout_ms,
            },
            "users": len(self.users),
        }


class LineSandbox(Platform):
    """The whole local LINE platform: channels, clock, knobs, faults and what watches them."""

    def __init__(self, options: SandboxOptions) -> None:
        self.closing = asyncio.Event()
        super().__init__(options)

    @property
    def channel(self) -> Channel:
        """The channel that exists from the start."""
        return self.channels[self.options.channel_id]

    async def reset(self, seed: int) -> None:
        """Forget everything but the options; knobs, clock and faults go back to their defaults."""
        await self._stop()
        self.begin(seed)

    def add_channel(self, **wanted: Any) -> Channel:
        """Add a channel with its long-lived token.

        `wanted`: `channel_id`, `secret`, `token`, `name`, `basic_id`, `account_type`, `plan`,
        `webhook_url`; what is missing is made up. Raises ValueError for a taken id or unknown plan.
        """
        channel_id = str(wanted.get("channel_id") or self._new_channel_id())
        if channel_id in self.channels:
            raise ValueError("this channelId exists already")
        account_type = str(wanted.get("account_type") or "verified")
        if account_type not in ACCOUNT_TYPES:
            raise ValueError(f"accountType must be one of {', '.join(ACCOUNT_TYPES)}")
        channel = Channel(
            channel_id=channel_id,
            secret=str(wanted.get("secret") or self.ids.hex32()),
            bot_user_id=self.ids.user_id(),
            basic_id=str(wanted.get("basic_id") or f"@{self.ids.alnum(8).lower()}"),
            name=str(wanted.get("name") or f"町の公式 {channel_id[-2:]}"),
            account_type=account_type,
            quota=Quota(wanted.get("plan") or "municipal"),
            limiter=RateLimiter(self.config),
            webhook=Webhook(wanted.get("webhook_url")),
        )
        channel.dispatcher = Dispatcher(self, channel)
        self.channels[channel_id] = channel
        self.tokens.add_long_lived(str(wanted.get("token") or self.ids.alnum(64)), channel_id)
        return channel

    async def close(self) -> None:
        """Stop every job, stream and webhook connection."""
        self.closing.set()
        self.feed.close()
        await self._stop()

    async def _stop(self) -> None:
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for channel in self.channels.values():
            await channel.dispatcher.close()

    def begin(self, seed: int) -> None:
        """Everything back to its defaults, with the channel of the options."""
        super().begin(seed)
        options = self.options
        self.tokens = Tokens()
        # By its number: the channel and the public key with which it proves itself.
        self.assertion_keys: dict[str, tuple[str, RSAPublicKey]] = {}
        self.requests: deque[dict[str, Any]] = deque(maxlen=_KEPT_REQUESTS)
        self.channels: dict[str, Channel] = {}
        self.add_channel(
            channel_id=options.channel_id,
            secret=options.channel_secret,
            token=options.channel_token,
            name=options.bot_name,
            basic_id=options.basic_id,
            account_type=options.account_type,
            plan=options.plan,
            webhook_url=options.webhook_url,
        )

    def _new_channel_id(self) -> str:
        return str(self.ids.random.randrange(10**9, 10**10))
