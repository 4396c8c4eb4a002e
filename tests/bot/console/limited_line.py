"""LINE with a limit of messages in the month."""

from __future__ import annotations

from sandbox.line import SANDBOX_KEY, LineSandbox, SandboxOptions, create_app


class Line:
    """The stand-in and where it is."""

    def __init__(self) -> None:
        self.app = create_app(SandboxOptions(channel_secret="secret", channel_token="token"))
        self.sandbox: LineSandbox = self.app[SANDBOX_KEY]
        self.origin = ""

    def allow(self, messages: int) -> None:
        self.sandbox.channel.quota.change_plan({"type": "limited", "value": messages})
