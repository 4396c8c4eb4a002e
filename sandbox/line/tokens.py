"""Channel access tokens: who holds one, until when.

Lifetimes: LINE documentation, basics/channel-access-token. Stateless 15 minutes, unlimited in
number, not revocable; short-lived 30 days, 30 of them, then the oldest goes.
"""

from __future__ import annotations

from dataclasses import dataclass

STATELESS_SECONDS = 900
SHORT_LIVED_SECONDS = 30 * 24 * 3600
SHORT_LIVED_LIMIT = BOUND_LIMIT = 30


@dataclass(slots=True)
class Token:
    """An access token. `kind` is longLived, shortLived, bound (v2.1) or stateless; `expires_at` in ms, None: never.

    `key_id` names one that is bound to an assertion.
    """

    value: str
    channel_id: str
    kind: str
    expires_at: int | None
    revoked: bool = False
    key_id: str = ""

    def valid(self, now_ms: int) -> bool:
        """Whether a request with this token passes."""
        return not self.revoked and (self.expires_at is None or now_ms < self.expires_at)

    def seconds_left(self, now_ms: int) -> int:
        """Life left in whole seconds; 0 for a token without an end, as LINE has no figure for it."""
        return 0 if self.expires_at is None else max(0, (self.expires_at - now_ms) // 1000)


class Tokens:
    """Every token of every channel."""

    def __init__(self) -> None:
        self._by_value: dict[str, Token] = {}

    def add_long_lived(self, value: str, channel_id: str) -> Token:
        """Register the channel's long-lived token."""
        return self._add(Token(value, channel_id, "longLived", None))

    def issue_bound(
        self, value: str, channel_id: str, now_ms: int, seconds: int, key_id: str
    ) -> Token | None:
        """Register a token by an assertion (v2.1); None when the channel has 30 that hold."""
        if len(self.bound(channel_id, now_ms)) >= BOUND_LIMIT:
            return None
        return self._add(Token(value, channel_id, "bound", now_ms + seconds * 1000, key_id=key_id))

    def bound(self, channel_id: str, now_ms: int) -> list[Token]:
        """Those by assertion that hold."""
        mine = [t for t in self._by_value.values() if t.channel_id == channel_id and t.kind == "bound"]
        return [token for token in mine if token.valid(now_ms)]

    def issue_stateless(self, value: str, channel_id: str, now_ms: int) -> Token:
        """Register a token for 15 minutes."""
        return self._add(Token(value, channel_id, "stateless", now_ms + STATELESS_SECONDS * 1000))

    def issue_short_lived(self, value: str, channel_id: str, now_ms: int) -> Token:
        """Register a token for 30 days; the 31st pushes the oldest out."""
        live = [t for t in self._by_value.values() if t.channel_id == channel_id and t.kind == "shortLived"]
        live = [token for token in live if token.valid(now_ms)]
        if len(live) >= SHORT_LIVED_LIMIT:
            live[0].revoked = True
        return self._add(Token(value, channel_id, "shortLived", now_ms + SHORT_LIVED_SECONDS * 1000))

    def find(self, value: str, now_ms: int) -> Token | None:
        """The token if it is known and still valid."""
        token = self._by_value.get(value)
        return token if token is not None and token.valid(now_ms) else None

    def revoke(self, value: str) -> None:
        """Make a token useless at once. Unknown ones are ignored."""
        if value in self._by_value:
            self._by_value[value].revoked = True

    def restore(self) -> None:
        """Let long-lived tokens pass again after an injected revocation."""
        for token in self._by_value.values():
            if token.kind == "longLived":
                token.revoked = False

    def _add(self, token: Token) -> Token:
        self._by_value[token.value] = token
        return token
