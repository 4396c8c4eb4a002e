"""Any story that the sender, the sweep and a stop can write: the figures add up after each step."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from content.ledger import batches, leases, settling
from content.ledger.deferring import DEFERRED
from content.ledger.deliveries import batch, refusal
from content.ledger.tallies import refusal_reasons
from tests.content.played import LEASE, NOW, claim, deferred, figures, record, refuse
from tests.content.properties import few_examples, undone

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["claim", "claim", "part", "part", "off", "rest", "back", "expire", "restart", "stop", "late"]
        ),
        st.integers(0, 4),
        st.integers(0, 2),
        st.booleans(),
    ),
    min_size=4,
    max_size=25,
)


class Story:
    """Plays steps against one delivery and keeps every claim it was ever given."""

    def __init__(self, connection, delivery_id):
        self.connection, self.delivery_id = connection, delivery_id
        self.now = NOW
        self.claims = []
        self.lost = []

    async def play(self, step, size, gone, flag):
        await getattr(self, step)(size, gone, flag)

    async def claim(self, *_):
        claimed = await claim(self.connection, self.now)
        if claimed is not None:
            self.claims.append((claimed, claimed.position))

    async def expire(self, *_):
        self.now += LEASE + 1
        await leases.release_expired(self.connection, self.now)
        self.let_go()

    async def restart(self, *_):
        await leases.release_all(self.connection, self.now)
        self.let_go()

    def let_go(self):
        self.lost += self.claims
        self.claims = []

    async def stop(self, *_):
        await self.connection.run_sync(settling.stop_delivery, self.delivery_id, reason="quota", now=self.now)

    async def part(self, size, gone, _):
        if not self.claims:
            return
        claimed, position = self.claims.pop()
        part = claimed.recipients[position : position + 1 + size]
        refused = refuse(part[:gone])
        position += len(part)
        accepted = len(part) - len(refused)
        assert await record(self.connection, claimed, position, accepted, refused, now=self.now)
        done = position == len(claimed.recipients)
        (self.lost if done else self.claims).append((claimed, position))

    async def off(self, size, *_):
        if not self.claims:
            return
        claimed, position = self.claims.pop()
        part = claimed.recipients[position : position + 1 + size]
        position += len(part)
        later = deferred(part[:1], not_before=self.now)
        assert await record(self.connection, claimed, position, len(part) - 1, now=self.now, later=later)
        done = position == len(claimed.recipients)
        (self.lost if done else self.claims).append((claimed, position))

    async def rest(self, _, __, flag):
        if self.claims:
            self.lost.append(self.claims.pop())
            assert await self.settle(self.lost[-1][0], flag)

    async def back(self, _, __, flag):
        if self.claims:
            self.lost.append(self.claims.pop())
            state = "ready" if flag else "unknown"
            assert await self.connection.run_sync(
                batches.requeue,
                self.lost[-1][0],
                state=state,
                reason="busy",
                not_before=self.now,
                now=self.now,
            )

    async def late(self, size, _, flag):
        if self.lost:
            assert not await self.settle(self.lost[size % len(self.lost)][0], flag)

    async def settle(self, claimed, flag):
        outcome = "refused" if flag else "unknown"
        return await self.connection.run_sync(
            batches.settle_rest, claimed, outcome=outcome, reason="budget", now=self.now
        )


@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=3), steps=STEPS)
@few_examples
async def test_whatever_happens_the_figures_add_up_and_nothing_accepted_is_taken_back(
    database, send, sizes, steps
):
    async with undone(database) as connection:
        notice_id, delivery_id = await send(connection, *sizes)
        story = Story(connection, delivery_id)
        settled: dict[Any, Any] = {}
        accepted_before = 0
        for step in steps:
            await story.play(*step)
            planned, accepted, refused, _, still_open = await figures(connection, notice_id)
            assert planned == sum(sizes)
            assert min(accepted, refused, still_open) >= 0
            assert accepted >= accepted_before
            accepted_before = accepted
            rows = (await connection.execute(select(batch))).all()
            now_settled = {row.id: row for row in rows if row.state == "settled"}
            assert settled.items() <= now_settled.items()
            settled = now_settled
            assert all(row.accepted + row.refused + row.unknown == row.size for row in settled.values())
            assert bool(still_open) == (len(settled) < len(rows))
            named = await connection.scalar(
                select(func.count()).select_from(refusal).where(refusal.c.reason != DEFERRED)
            )
            assert named <= refused
        reasons = await refusal_reasons(connection, notice_id)
        refused, unknown = (await figures(connection, notice_id))[2:4]
        assert sum(number for _, _, number in reasons) == refused + unknown
