"""Notices made ready for a channel: once for each delivery and language, however many batches ask for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from channels.channel import Announcement, Channel
from channels.digest import as_digest
from content.ledger import deliveries
from content.ledger.states import DeliveryState
from content.notices import notices, trial_changes
from scheduler.suspending import refuse_lost
from scheduler.town_context import TownContext, announcement

KEPT = 32


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in one language. `prepared` is for the channel's `send`; `send_until` as in the delivery."""

    announced: Announcement
    prepared: Any
    send_until: int | None


class Messages:
    """What one channel sends. A delivery pins the version that it sends, so its message never changes."""

    def __init__(self, context: TownContext, channel: Channel) -> None:
        self._context = context
        self._channel = channel
        self._known: dict[tuple[int, str, str], asyncio.Future[Message]] = {}

    async def get(self, delivery_id: int, language: str, carries: str = "") -> Message:
        """Of a delivery, or of a digest of its notice and those of the deliveries that it carries.

        Raises CannotRender, or TemporaryFailure when the account is another channel's now.
        """
        key = (delivery_id, language, carries)
        building = self._known.get(key)
        if building is None:
            if len(self._known) >= KEPT:
                self._known.clear()
            building = self._known[key] = asyncio.ensure_future(self._build(*key))
            building.add_done_callback(lambda done: self._forget_failure(key, done))
        return await asyncio.shield(building)

    def _forget_failure(self, key: tuple[int, str, str], done: asyncio.Future[Message]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._known.pop(key, None)

    async def _build(self, delivery_id: int, language: str, carries: str) -> Message:
        async with self._context.database.read() as connection:
            delivery = await connection.run_sync(deliveries.get_delivery, delivery_id)
            notice = await notices.get(connection, delivery.notice_id)
            # A trial looks as the notice whose words it tries.
            tried = await trial_changes.tried_of(connection, notice) if notice else None
            source = await notices.get(connection, tried) if tried else notice
            corrected = await notices.get(connection, source.corrects) if source and source.corrects else None
        if notice is None or notice.version_id != delivery.version_id:
            raise LookupError(f"delivery {delivery_id} has no notice version")
        refuse_lost(self._context, delivery)
        announced = announcement(self._context, notice, corrected, source.kind if source else None)
        if carries:
            others = [await self._carried(int(number)) for number in carries.split(",")]
            announced = as_digest([*filter(None, others), announced], language)
        # Building a message imports the LINE SDK (over a second), so not on the event loop.
        prepared = await asyncio.to_thread(self._channel.prepare, announced, language)
        return Message(announced, prepared, delivery.send_until)

    async def _carried(self, delivery_id: int) -> Announcement | None:
        """None when a person has stopped it since."""
        async with self._context.database.read() as connection:
            delivery = await connection.run_sync(deliveries.get_delivery, delivery_id)
            notice = await notices.get(connection, delivery.notice_id)
        if notice is None or delivery.state == DeliveryState.STOPPED:
            return None
        return announcement(self._context, notice)
