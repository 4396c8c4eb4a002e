"""The queue before the hashing: short, in turn, known devices first."""

import asyncio
import threading

import pytest

from content.staff.hashing import MOST_OF_ONE, MOST_WAITING, THREADS, Busy, HashingQueue


class Work:
    """Takes until it is let go; says in which order it began."""

    def __init__(self):
        self.go = threading.Event()
        self.begun = []

    def __call__(self, name):
        def work():
            self.begun.append(name)
            assert self.go.wait(20)
            return name

        return work


@pytest.fixture
def work():
    made = Work()
    yield made
    made.go.set()


@pytest.fixture
def queue():
    made = HashingQueue(longest_wait=20)
    yield made
    made.close()


async def begin(queue, work, name, known=False, who=None):
    """A task that has taken its place in the queue."""
    task = asyncio.create_task(queue.run(work(name), who=who or name, known=known))
    await asyncio.sleep(0)
    return task


async def fill(queue, work):
    return [await begin(queue, work, f"stranger {n}") for n in range(THREADS + MOST_WAITING)]


async def test_who_finds_the_queue_full_is_told_at_once(queue, work):
    inside = await fill(queue, work)
    with pytest.raises(Busy):
        await queue.run(work("late"), who="late", known=False)
    work.go.set()
    assert await asyncio.gather(*inside) == [f"stranger {n}" for n in range(THREADS + MOST_WAITING)]
    assert await queue.run(work("later"), who="later", known=False) == "later"


async def test_a_known_device_takes_the_place_of_the_last_stranger_and_is_next(queue, work):
    inside = await fill(queue, work)
    colleague = await begin(queue, work, "colleague", known=True)
    with pytest.raises(Busy):
        await inside[-1]
    work.go.set()
    assert await colleague == "colleague"
    await asyncio.gather(*inside[:-1])
    assert set(work.begun[:THREADS]) == {"stranger 0", "stranger 1"}
    assert "colleague" in work.begun[THREADS : THREADS * 2]


async def test_known_devices_do_not_push_each_other_out(queue, work):
    inside = [await begin(queue, work, f"desk {n}", known=True) for n in range(THREADS + MOST_WAITING)]
    with pytest.raises(Busy):
        await queue.run(work("late"), who="late", known=True)
    work.go.set()
    await asyncio.gather(*inside)


async def test_one_source_cannot_fill_the_queue(queue, work):
    flood = [await begin(queue, work, f"flood {n}", who="flood") for n in range(300)]
    await asyncio.sleep(0)
    turned_away = [task for task in flood if task.done()]
    assert len(turned_away) == 300 - MOST_OF_ONE
    colleague = await begin(queue, work, "colleague")
    work.go.set()
    assert await colleague == "colleague"
    outcomes = await asyncio.gather(*flood, return_exceptions=True)
    assert sum(isinstance(outcome, Busy) for outcome in outcomes) == 300 - MOST_OF_ONE


async def test_waiting_longer_than_the_limit_ends_with_an_answer(work):
    queue = HashingQueue(longest_wait=0.01)
    running = [await begin(queue, work, f"first {n}") for n in range(THREADS)]
    with pytest.raises(Busy):
        await queue.run(work("late"), who="late", known=False)
    work.go.set()
    assert await asyncio.gather(*running) == ["first 0", "first 1"]
    assert await queue.run(work("later"), who="later", known=False) == "later"
    queue.close()


async def test_a_place_is_free_again_however_its_owner_left(queue, work):
    for cancelled in (0, THREADS):
        running = [await begin(queue, work, f"{cancelled} {n}") for n in range(THREADS + 1)]
        running[cancelled].cancel()
        with pytest.raises(asyncio.CancelledError):
            await running[cancelled]
        work.go.set()
        await asyncio.gather(*running, return_exceptions=True)
        results = await asyncio.gather(
            *(queue.run(work(n), who=str(n), known=False) for n in range(MOST_WAITING))
        )
        assert results == list(range(MOST_WAITING))
        work.go.clear()
