"""A notice on its way, for the tests of the ledger."""

import pytest

from tests.factories import make_delivery, make_notice, make_subscribers


@pytest.fixture
def send(keys):
    """Plan a notice to batches of these sizes; gives the ids of notice and delivery."""

    async def plan(connection, *sizes, **changes):
        notice_id = await make_notice(connection)
        ids = await make_subscribers(connection, keys, sum(sizes))
        slices = [ids[sum(sizes[:n]) : sum(sizes[: n + 1])] for n in range(len(sizes))]
        return notice_id, await make_delivery(connection, slices, notice_id=notice_id, **changes)

    return plan
