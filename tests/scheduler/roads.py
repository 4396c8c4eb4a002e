"""What the stories of the roads outside share: a notice that is ready, and its way to the end."""

from __future__ import annotations

from typing import Any

from tests.scheduler.outside import register
from tests.scheduler.scripted import (
    Stage,
    eventually,
    fire,
    plan_all,
    rows_of,
    sending,
    settled,
)


async def planned(stage: Stage, channel: str, addresses: list[str], **changes: Any) -> int:
    """A notice on one channel, ready to be sent; its delivery."""
    await register(stage.database, stage.context.keys, channel, addresses)
    deliveries = await fire(stage, **{"category": "saigai", "channels": (channel,), **changes})
    await plan_all(stage)
    return deliveries[channel]


async def send_all(stage: Stage, delivery_id: int) -> None:
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id), hurry=stage)


async def has_reason(stage: Stage, delivery_id: int, reason: str) -> bool:
    return reason in {row.reason for row in await rows_of(stage.database, delivery_id)}
