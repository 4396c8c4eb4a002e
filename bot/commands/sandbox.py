"""sandbox line, smtp, sns: one stand-in on its own, for anybody who develops against these services."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated

import typer

from bot.commands.common import run, talk

app = typer.Typer(no_args_is_help=True, help="練習用の接続先(外部には何も送りません).")

Port = Annotated[int, typer.Option(help="Port on 127.0.0.1.")]


@app.command()
def line(
    port: Port = 8686,
    channel_secret: Annotated[str, typer.Option(help="Channel secret.")] = "sandbox-secret",  # noqa: S107 - a stand-in
    channel_token: Annotated[str, typer.Option(help="Channel access token.")] = "sandbox-token",  # noqa: S107 - a stand-in
    webhook_url: Annotated[str, typer.Option(help="Where events go.")] = "",
    ledger: Annotated[str, typer.Option(help="full, or summary for load tests.")] = "full",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
) -> None:
    """The LINE platform: API, webhooks and phones, on http://127.0.0.1:PORT."""
    from sandbox.line import SandboxOptions
    from sandbox.line import run as run_line

    talk.print(f"LINE sandbox: http://127.0.0.1:{port}/ (phones: /_sandbox/phones)", highlight=False)
    options = SandboxOptions(
        channel_secret=channel_secret,
        channel_token=channel_token,
        webhook_url=webhook_url or None,
        ledger=ledger,
        seed=seed,
    )
    run(run_line(options, port=port))


@app.command()
def smtp(
    port: Port = 2525,
    web_port: Annotated[int, typer.Option(help="Port of the inbox page.")] = 8687,
) -> None:
    """An SMTP server that keeps every mail, with an inbox page."""
    from sandbox.mail.standalone import run as run_smtp

    talk.print(f"SMTP: 127.0.0.1:{port}  inbox: http://127.0.0.1:{web_port}/", highlight=False)
    run(run_smtp("127.0.0.1", port, web_port))


@app.command()
def sns(
    port: Port = 8688,
    sns_port: Annotated[int, typer.Option(help="Port of the social networks and chats.")] = 8689,
) -> None:
    """A receiver of signed webhooks, and social networks and chats, each with a page."""
    from sandbox.sns.app import run as run_sns
    from sandbox.webhook.receiver import run as run_webhook

    talk.print(f"Webhook receiver: http://127.0.0.1:{port}/", highlight=False)
    talk.print(f"SNS and chats: http://127.0.0.1:{sns_port}/", highlight=False)
    run(_together(run_webhook("127.0.0.1", port), run_sns("127.0.0.1", sns_port)))


async def _together(*servers: Coroutine[None, None, None]) -> None:
    await asyncio.gather(*servers)
