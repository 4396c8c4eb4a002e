"""Small writes share a transaction; nobody suffers for another's mistake, nothing is done twice."""

import asyncio

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from content.database.group_commit import LARGEST_GROUP, GroupCommit
from content.staff.audit import audit_entry
from tests.factories import APRIL_TUESDAY


def returning(value):
    return lambda _connection: value


def note(subject):
    def step(connection):
        connection.execute(
            insert(audit_entry).values(
                at=APRIL_TUESDAY, actor="tanaka", action="seen", subject=subject, detail=""
            )
        )
        return subject

    return step


def stumble(connection):
    note("before stumbling")(connection)
    raise ZeroDivisionError


async def subjects(database):
    return await database.read_step(
        lambda connection: list(connection.scalars(select(audit_entry.c.subject).order_by(audit_entry.c.id)))
    )


class Recorder:
    """Transactions as the group asks for them."""

    def __init__(self, broken=None):
        self.sizes, self.broken = [], broken

    async def run(self, step):
        await asyncio.sleep(0)
        results = step(None)
        self.sizes.append(len(results))
        if self.broken:
            raise self.broken
        return results


async def test_a_step_is_committed_when_its_answer_comes(database):
    assert await database.write_step(note("one")) == "one"
    assert await subjects(database) == ["one"]


async def test_steps_that_come_together_share_a_transaction_in_their_order():
    recorder = Recorder()
    group = GroupCommit(recorder.run)
    answers = await asyncio.gather(*(group.do(returning(n)) for n in range(3 + LARGEST_GROUP)))
    assert answers == list(range(3 + LARGEST_GROUP))
    assert recorder.sizes == [LARGEST_GROUP, 3]


async def test_many_steps_at_once_all_get_through(database):
    answers = await asyncio.gather(*(database.write_step(note(str(n))) for n in range(150)))
    assert answers == await subjects(database) == [str(n) for n in range(150)]


async def test_a_step_that_fails_harms_nobody_else(database):
    steps = [note("a"), stumble, note("b"), lambda c: c.execute(insert(audit_entry).values(at=None))]
    answers = await asyncio.gather(*map(database.write_step, steps), return_exceptions=True)
    assert answers[0] == "a"
    assert isinstance(answers[1], ZeroDivisionError)
    assert answers[2] == "b"
    assert isinstance(answers[3], IntegrityError)
    assert await subjects(database) == ["a", "b"]


async def test_a_commit_that_breaks_is_told_to_all_and_not_tried_again():
    recorder = Recorder(broken=ConnectionResetError())
    group = GroupCommit(recorder.run)
    answers = await asyncio.gather(*(group.do(lambda _: 1) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, ConnectionResetError) for answer in answers)
    assert recorder.sizes == [3]


async def test_a_step_whose_caller_gave_up_before_its_turn_is_not_done(database):
    first = asyncio.create_task(database.write_step(note("first")))
    await asyncio.sleep(0)
    given_up = asyncio.create_task(database.write_step(note("given up")))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await first == "first"
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert await database.write_step(note("last")) == "last"
    assert await subjects(database) == ["first", "last"]


async def test_steps_and_whole_transactions_take_turns(database):
    async def slowly(number):
        async with database.write() as connection:
            await connection.run_sync(note(f"slow {number}"))
            await asyncio.sleep(0.01)

    await asyncio.gather(
        *(slowly(n) for n in range(5)), *(database.write_step(note(f"quick {n}")) for n in range(5))
    )
    expected = {f"slow {n}" for n in range(5)} | {f"quick {n}" for n in range(5)}
    assert set(await subjects(database)) == expected


async def test_closing_waits_for_what_was_asked(sqlite_database):
    asked = asyncio.create_task(sqlite_database.write_step(note("asked")))
    await asyncio.sleep(0)
    await sqlite_database.close()
    assert await asked == "asked"


async def test_a_database_that_is_away_is_asked_once_for_all():
    asked = []

    async def away(step):
        asked.append(step)
        await asyncio.sleep(0)
        raise ConnectionRefusedError

    group = GroupCommit(away)
    answers = await asyncio.gather(*(group.do(lambda _: 1) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, ConnectionRefusedError) for answer in answers)
    assert len(asked) == 1


async def test_a_patient_step_goes_with_the_next_that_is_in_a_hurry():
    recorder = Recorder()
    group = GroupCommit(recorder.run)
    patient = asyncio.create_task(group.do(lambda _: "patient", max_wait=60))
    await asyncio.sleep(0.05)
    assert recorder.sizes == [], "nothing is written yet"
    assert await group.do(lambda _: "hurry") == "hurry"
    assert await patient == "patient"
    assert recorder.sizes == [2]


async def test_a_patient_step_is_written_also_when_no_other_comes():
    recorder = Recorder()
    group = GroupCommit(recorder.run)
    answers = await asyncio.gather(*(group.do(returning(n), max_wait=0.02) for n in range(3)))
    assert (answers, recorder.sizes) == ([0, 1, 2], [3])
    assert await group.do(lambda _: "later", max_wait=0.02) == "later"


async def test_the_end_does_not_wait_for_more_steps():
    recorder = Recorder()
    group = GroupCommit(recorder.run)
    patient = asyncio.create_task(group.do(lambda _: "patient", max_wait=60))
    await asyncio.sleep(0)
    await group.finish()
    assert await patient == "patient"
