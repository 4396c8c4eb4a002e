"""The services outside as real servers, and a town context whose channels talk to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from channels.channel import Channel
from channels.line.channel import LineChannel
from channels.mail.channel import MailChannel
from channels.webhook.channel import WebhookChannel
from content.clock import now_ms
from content.database import Database
from content.keys import Keys
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from content.town import Account, Town
from sandbox.line import SANDBOX_KEY, LineSandbox, SandboxOptions
from sandbox.line import create_app as create_line_app
from sandbox.mail.server import SmtpSandbox
from sandbox.webhook.receiver import WebhookSandbox
from sandbox.webhook.receiver import create_app as create_webhook_app
from scheduler.town_context import TownContext
from tests.factories import line_id

HOOK_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
TOKEN = "channel-token"
SAIGAI = frozenset({"saigai"})


@dataclass
class Outside:
    """`line`, `smtp` and `hooks` are the stand-ins; `line_batch` and `mail_batch` recipients per batch."""

    line: LineSandbox
    line_origin: str
    smtp: SmtpSandbox
    smtp_port: int
    hooks: WebhookSandbox
    hooks_origin: str
    line_batch: int = 5
    line_rate: float | None = 200
    mail_batch: int = 5
    mail_connections: int = 1
    # Seconds; who is silent on purpose is waited for less.
    patience: float = 30.0
    opened: list[Channel] = field(default_factory=list)

    def context(self, town: Town, database: Database, keys: Keys) -> TownContext:
        return TownContext(town, database, keys, self.channel_of, lambda n: f"https://town.example.jp/n/{n}")

    def channel_of(self, account: Account) -> Channel:
        if account.channel == "line":
            return LineChannel(
                api_base=self.line_origin,
                token=TOKEN,
                rate=self.line_rate,
                batch_size=self.line_batch,
                timeout=self.patience,
            )
        if account.channel == "mail":
            return MailChannel(
                smtp_url=f"smtp://127.0.0.1:{self.smtp_port}",
                sender="柴田町 <notice@shibata.example.jp>",
                list_id="notice.shibata.example.jp",
                unsubscribe_url=lambda reader: f"https://town.example.jp/unsubscribe/{reader.subscriber_id}",
                message_mark=lambda public_id, version: version,
                message_domain="shibata.example.jp",
                connections=self.mail_connections,
                batch_size=self.mail_batch,
                timeout=self.patience,
            )
        return WebhookChannel(allow_private=True, timeout=self.patience)

    @property
    def chats(self) -> Counter[str]:
        """How many messages each LINE user has got."""
        return Counter(
            {user.user_id: len(user.history or ()) for user in self.line.channel.users.all if user.history}
        )

    def words(self, number: int) -> list[dict[str, Any]]:
        """The message objects in one LINE user's chat."""
        user = self.line.channel.users.by_id[line_id(number)]
        return [entry["object"] for entry in user.history or ()]

    @property
    def multicasts(self) -> int:
        """Requests to the multicast endpoint, whatever became of them."""
        return sum("multicast" in row["endpoint"] for row in self.line.requests)

    def line_friends(self, number: int) -> None:
        """Friends 1 to `number`, as `register_line` registers them."""
        for one in range(1, number + 1):
            self.line.channel.users.add(line_id(one), f"友だち{one}", "ja", "friend", now_ms())

    def fault(self, action: str, match: dict[str, Any] | None = None, times: int = 1, **wanted: Any) -> None:
        """The next `times` multicasts (or what `match` says) go wrong; `wanted` are the action's parameters."""
        stage = {"stage": wanted.pop("stage")} if "stage" in wanted else {}
        rule = {"action": {"type": action, **wanted}, "match": match or {"path": "*/multicast"}}
        self.line.faults.add({**rule, **stage, "times": times})


async def serve_outside(serve: Callable[[web.Application], Awaitable[str]]) -> Outside:
    line_app = create_line_app(SandboxOptions(channel_secret="channel-secret", channel_token=TOKEN))
    hooks = WebhookSandbox(secrets={"bus": HOOK_SECRET, "radio": HOOK_SECRET})
    smtp = SmtpSandbox()
    return Outside(
        line=line_app[SANDBOX_KEY],
        line_origin=await serve(line_app),
        smtp=smtp,
        smtp_port=await smtp.start(),
        hooks=hooks,
        hooks_origin=await serve(create_webhook_app(hooks)),
    )


async def register(database: Database, keys: Keys, channel: str, addresses: list[str]) -> list[int]:
    """Registrations on a channel's own account that chose 災害."""
    chosen = Preferences(categories=SAIGAI)
    async with database.write() as connection:
        return await register_many(
            connection,
            keys,
            [Registration(channel, channel, address, chosen, now_ms()) for address in addresses],
            reason="import",
        )
