"""LINE counts a slow answer as a failure, so whoever can wait makes room while a webhook is written down."""

import asyncio

import pytest

from bot.line.handling import handle_waiting
from scheduler import urgent_priority
from tests.bot.line.village import follow


async def test_while_a_webhook_is_written_routine_sends_and_the_inbox_make_room(village, monkeypatch):
    monkeypatch.setattr(urgent_priority, "MAKE_ROOM", 60.0)
    priority = village.service.context.urgent_priority
    await village.post(follow(1))
    async with village.service.database.write():
        # The disk belongs to somebody else for a while.
        answer = asyncio.create_task(village.post(follow(2)))
        while not priority._answering:
            await asyncio.sleep(0.001)
        routine = asyncio.create_task(priority.give_way("routine"))
        inbox = asyncio.create_task(handle_waiting(village.service, village.api))
        await asyncio.sleep(0.05)
        assert not (answer.done() or routine.done() or inbox.done())
        assert not village.service.database._group._waiting, "the inbox stands in line with the webhook"
    async with asyncio.timeout(30):
        assert await answer == 200
        await routine
        await inbox
    await village.handle()
    assert await village.stored("handled") == 2


@pytest.mark.parametrize("events", [1, 30])
async def test_whoever_was_answered_holds_nobody_back(village, events):
    assert await village.post(*(follow(number) for number in range(events))) == 200
    assert await village.post_raw(b"{") == 400
    async with asyncio.timeout(30):
        while village.service.context.urgent_priority._answering:
            await asyncio.sleep(0)
    assert await village.stored() == events
