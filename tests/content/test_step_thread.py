"""The thread that writes the ledger: it answers, or the process ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from content.database.step_thread import BROKEN, StepThread

DYING = """
import asyncio
from content.database.step_thread import StepThread

async def main():
    loop = asyncio.get_running_loop()
    def no_memory(*_):
        raise MemoryError
    loop.call_soon_threadsafe = no_memory
    await StepThread("sqlite-write").do(lambda: 1)

asyncio.run(main())
"""


async def test_steps_run_one_after_the_other_and_answer_with_what_they_made() -> None:
    thread = StepThread("steps")
    order: list[int] = []

    def step(number: int) -> int:
        order.append(number)
        return number * 2

    assert await asyncio.gather(*(thread.do(lambda n=n: step(n)) for n in range(20))) == [  # type: ignore[misc]
        2 * n for n in range(20)
    ]
    assert order == [*range(20)]
    thread.close()


async def test_what_a_step_raises_comes_to_whoever_asked_and_the_next_goes_on() -> None:
    thread = StepThread("steps")

    def fail() -> None:
        raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        await thread.do(fail)
    assert await thread.do(lambda: 3) == 3
    thread.close()


async def test_who_gives_up_waiting_harms_nobody() -> None:
    thread = StepThread("steps")
    gate = threading.Event()
    waiting = asyncio.create_task(thread.do(gate.wait))
    await asyncio.sleep(0)
    waiting.cancel()
    gate.set()
    assert await thread.do(lambda: 3) == 3
    thread.close()


async def test_after_closing_nothing_waits_for_ever() -> None:
    thread = StepThread("steps")
    thread.close()
    with pytest.raises(RuntimeError, match="closed"):
        await thread.do(lambda: 3)


def test_a_thread_that_cannot_answer_ends_the_process_and_says_so() -> None:
    done = subprocess.run([sys.executable, "-c", DYING], capture_output=True, text=True, timeout=60)
    assert done.returncode == BROKEN
    assert "sqlite-write" in done.stderr and "ends" in done.stderr
