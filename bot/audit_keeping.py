"""Where the daily line of the audit trail goes, as the settings say: a file, mailboxes, or both."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.settings import Settings

ABOUT = """操作の記録の控えです。このメールは消さずに保管してください。

{line}

町のサービスの操作の記録が、あとから消されたり書きかえられたりしていないことを、
`kairanban audit verify --lines ファイル` で確かめるときに使います。
"""


def line_keeper(settings: Settings, town_name: str) -> Callable[[str], Awaitable[None]] | None:
    """None when the settings name no place."""
    file = settings.audit.line_file
    mails = settings.audit.mail_addresses if settings.mail.smtp_url.get_secret_value() else []
    if not file and not mails:
        return None

    async def keep(line: str) -> None:
        """To every place; raises OSError or what the mail server's client raises."""
        if file:
            await asyncio.to_thread(_append, Path(file), line)
        if mails:
            from channels.mail.plain import send_plain

            await send_plain(
                settings.mail.smtp_url.get_secret_value(),
                sender=settings.mail.sender,
                to=mails,
                subject=f"【{town_name}】操作の記録の控え",
                body=ABOUT.format(line=line),
            )

    return keep


def _append(file: Path, line: str) -> None:
    """On the disk when it returns; a line of which a crash left a part is followed by a whole one."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
