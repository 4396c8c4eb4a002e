"""What a sandbox is started with."""

from __future__ import annotations

from dataclasses import dataclass, field

LEDGERS = ("full", "summary", "sample")


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Settings of one sandbox; they describe the channel that exists from the start.

    `ledger` is "full" (chat histories are kept for the phone page), "sample" (histories for every
    hundredth user) or "summary" (counts and recipient lists only, for load tests).
    `public_url` is the origin that clients use, without a trailing slash; None: the bound address.
    `login_channel_id` is that of the LINE Login channel for which ID tokens are made.
    `plan` is a preset of quota.py. Without `allow_remote` webhooks go to loopback addresses only.
    """

    channel_secret: str = field(repr=False)
    channel_token: str = field(repr=False)
    seed: int = 1
    bot_name: str = "柴田町"
    basic_id: str = "@sandbox"
    ledger: str = "full"
    webhook_url: str | None = None
    public_url: str | None = None
    channel_id: str = "2000000001"
    login_channel_id: str = "2000000002"
    plan: str = "municipal"
    account_type: str = "verified"
    allow_remote: bool = False

    def __post_init__(self) -> None:
        if self.ledger not in LEDGERS:
            raise ValueError(f"ledger must be one of {', '.join(LEDGERS)}")
