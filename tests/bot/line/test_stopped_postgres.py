"""PostgreSQL is stopped while residents write: LINE is told to send again, and what it sends again is taken once."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from content.database import Database
from content.schema import upgrade
from tests.bot.line.conftest import MakeVillage
from tests.bot.line.village import follow
from tests.faults.own_postgres import own_server
from tests.journeys.deployment import line_id

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.services]

EACH = 20


async def test_what_comes_in_while_postgres_is_stopped_comes_again_and_is_taken_once(
    make_village: MakeVillage,
) -> None:
    webhooks = [
        [follow(at, line_id(at)) for at in range(start, start + EACH)] for start in range(1, 200, EACH)
    ]
    async with own_server() as server:
        database = Database(server.url)
        await upgrade(database)
        village = await make_village(database)
        before, during = webhooks[:3], webhooks[3:]
        assert [await village.post(*events) for events in before] == [200] * len(before)
        await server.stop("immediate")
        with capture_logs():
            assert [await village.post(*events) for events in during] == [500] * len(during)
        await server.start()
        # LINE asks again for what was not answered 200, and now and then for what was.
        for events in [before[-1], *during]:
            for event in events:
                event["deliveryContext"] = {"isRedelivery": True}
        again = [before[-1], *during]
        assert [await village.post(*events) for events in again] == [200] * len(again)
        await village.handle()
        assert await village.stored("handled") == await village.stored() == EACH * len(webhooks)
        for at in (1, EACH * len(before), EACH * len(webhooks)):
            assert await village.history(line_id(at)) == ["joined"]
        await database.close()
