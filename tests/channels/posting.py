"""The channels that post, opened towards the stand-ins on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from channels.bluesky import BlueskyChannel
from channels.channel import Channel, Part, Recipient, Session
from channels.discord import DiscordChannel
from channels.facebook import FacebookChannel
from channels.instagram import InstagramChannel
from channels.mastodon import MastodonChannel
from channels.posted import Posted, PostHistory
from channels.slack import SlackChannel
from channels.teams import TeamsChannel
from channels.threads import ThreadsChannel
from channels.x import XChannel, XKeys
from sandbox.sns.state import SnsSandbox
from tests.channels.announcements import RETRY_KEY, collect_until_error, notice

TOKEN = "token-of-the-town"
MAKE: dict[str, Callable[[str, float], Channel]] = {
    "mastodon": lambda origin, timeout: MastodonChannel(
        api_base=f"{origin}/mastodon", token=TOKEN, timeout=timeout
    ),
    "bluesky": lambda origin, timeout: BlueskyChannel(
        user="shibata.example.jp", token=TOKEN, api_base=f"{origin}/bluesky", timeout=timeout
    ),
    "x": lambda origin, timeout: XChannel(
        keys=XKeys("app", "app-secret", TOKEN, "token-secret"), api_base=f"{origin}/x", timeout=timeout
    ),
    "facebook": lambda origin, timeout: FacebookChannel(
        user="100", token=TOKEN, api_base=f"{origin}/facebook", timeout=timeout
    ),
    "instagram": lambda origin, timeout: InstagramChannel(
        user="200", token=TOKEN, api_base=f"{origin}/instagram", timeout=timeout
    ),
    "threads": lambda origin, timeout: ThreadsChannel(
        user="300", token=TOKEN, api_base=f"{origin}/threads", timeout=timeout
    ),
    "slack": lambda origin, timeout: SlackChannel(f"{origin}/slack/services/{TOKEN}", timeout=timeout),
    "discord": lambda origin, timeout: DiscordChannel(
        f"{origin}/discord/api/webhooks/400/{TOKEN}", timeout=timeout
    ),
    "teams": lambda origin, timeout: TeamsChannel(f"{origin}/teams/workflows/{TOKEN}", timeout=timeout),
}
NAMES = tuple(MAKE)
NOTHING = PostHistory()


def make_posting(name: str, origin: str, *, timeout: float = 30.0) -> Session:
    return MAKE[name](origin, timeout).open()


def the_account(count: int = 1) -> list[Recipient]:
    """What is posted has the account itself as its recipient."""
    return [Recipient(number, "") for number in range(1, count + 1)]


@dataclass
class Account:
    """One account with its stand-in, and a ledger as short as it can be."""

    session: Session
    sandbox: SnsSandbox
    name: str

    async def post(
        self,
        *,
        history: PostHistory = NOTHING,
        key: str = RETRY_KEY,
        maybe_sent: bool = False,
        **changes: Any,
    ) -> tuple[list[Posted], bool, Exception | None]:
        """What changed at the service, whether it is through, and the error."""
        prepared = self.session.channel.prepare(notice(**changes), "ja")
        me = [Recipient(1, "", history=history)]
        sending = self.session.send(prepared, me, key, maybe_sent=maybe_sent)
        parts, error = await collect_until_error(sending)
        return changed(parts), sum(part.size for part in parts) == 1, error

    @property
    def shown(self) -> list[str]:
        """The texts that stand there now."""
        return [item.text for item in self.sandbox.of(self.name)]


def changed(parts: list[Part]) -> list[Posted]:
    return [posted for part in parts for posted in part.posted]
