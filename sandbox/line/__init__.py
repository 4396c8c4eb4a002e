"""A LINE platform on this machine: the Messaging API, webhooks, faults on demand, phones to play with."""

from sandbox.line.app import SANDBOX_KEY, LineSandbox, SandboxOptions, create_app, run

__all__ = ["SANDBOX_KEY", "LineSandbox", "SandboxOptions", "create_app", "run"]
