"""The mail server and its pages together, as a process of their own."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sandbox.mail.pages import create_app
from sandbox.mail.server import SmtpSandbox


async def run(host: str, smtp_port: int, web_port: int) -> None:
    """Serve SMTP and the pages until cancelled."""
    sandbox = SmtpSandbox()
    await sandbox.start(host, smtp_port)
    runner = web.AppRunner(create_app(sandbox))
    await runner.setup()
    try:
        await web.TCPSite(runner, host, web_port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
        await sandbox.stop()
