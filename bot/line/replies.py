"""The answers to residents, handed to LINE: residents side by side, those to one resident in their order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from bot.line.bubbles import Message
from channels.channel import ChannelError
from channels.line.api import LineApi

log = structlog.get_logger(__name__)

CALLS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Reply:
    """Answers to one event, still to be sent."""

    user_id: str = field(repr=False)
    token: str = field(repr=False)
    messages: list[Message] = field(repr=False)


async def send_replies(api: LineApi, replies: list[Reply]) -> None:
    """Residents side by side, the answers to one resident in their order."""
    by_user: dict[str, list[Reply]] = {}
    for reply in replies:
        by_user.setdefault(reply.user_id, []).append(reply)
    gate = asyncio.Semaphore(CALLS_AT_ONCE)
    await asyncio.gather(*(_send_to_one(api, gate, own) for own in by_user.values()))


async def _send_to_one(api: LineApi, gate: asyncio.Semaphore, replies: list[Reply]) -> None:
    for reply in replies:
        try:
            async with gate:
                await api.reply(reply.token, reply.messages)
        except Exception as error:
            log.warning("line_reply_failed", reason=reason_of(error))


def reason_of(error: Exception) -> str:
    return error.reason if isinstance(error, ChannelError) else type(error).__name__
