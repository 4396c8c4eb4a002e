"""Reply tokens: one use, within a minute of the webhook.

LINE Messaging API reference, #send-reply-message-reply-token: valid for 1 minute after receipt; after a
redelivery for 1 minute again, unless used already or 20 minutes after the event.
"""

from __future__ import annotations

from dataclasses import dataclass

VALID_MS = 60_000
RENEWABLE_MS = 20 * 60_000


@dataclass(slots=True)
class ReplyToken:
    """Whom a reply with this token reaches. Times in ms; `dispatched_at` is the newest webhook."""

    user_id: str
    event_at: int
    dispatched_at: int
    used: bool = False


class ReplyTokens:
    """The tokens of one channel."""

    def __init__(self) -> None:
        self._tokens: dict[str, ReplyToken] = {}

    def issue(self, token: str, user_id: str, at_ms: int) -> None:
        """Note the token of a new event."""
        self._tokens[token] = ReplyToken(user_id, at_ms, at_ms)

    def dispatched(self, token: str, at_ms: int) -> None:
        """A webhook with this token leaves now: its minute starts (again)."""
        known = self._tokens.get(token)
        if known is not None and at_ms - known.event_at < RENEWABLE_MS:
            known.dispatched_at = at_ms

    def find(self, token: str, now_ms: int) -> ReplyToken | None:
        """The token if a reply with it is accepted now."""
        known = self._tokens.get(token)
        if known is None or known.used or now_ms - known.dispatched_at > VALID_MS:
            return None
        return known
