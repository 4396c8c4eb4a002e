"""Whose fault an error is: a full disk or a lost connection is nobody's, a wrong value is its own."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from content.database import Database, is_infrastructure

WRONG = {
    "a double": "INSERT INTO inbound_event (id, account, state, sealed, occurred_at, received_at) VALUES ('a', 'line', 'waiting', '', 0, 0), ('a', 'line', 'waiting', '', 0, 0)",
    "a state that is none": "INSERT INTO inbound_event (id, account, state, sealed, occurred_at, received_at) VALUES ('a', 'line', 'lost', '', 0, 0)",
}


async def failing(database: Database, *statements: str) -> DBAPIError:
    with pytest.raises(DBAPIError) as failed:
        async with database.write() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    return failed.value


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_row_that_cannot_be_is_no_fault_of_the_machine(database: Database, wrong: str) -> None:
    assert not is_infrastructure(await failing(database, WRONG[wrong]))


async def test_a_connection_that_was_cut_is_the_machines_fault(postgres_database: Database) -> None:
    cut = "SELECT pg_terminate_backend(pg_backend_pid())"
    assert is_infrastructure(await failing(postgres_database, cut, "SELECT 1"))


async def test_a_statement_that_ran_out_of_time_is_the_machines_fault(postgres_database: Database) -> None:
    assert is_infrastructure(
        await failing(postgres_database, "SET LOCAL statement_timeout = 10", "SELECT pg_sleep(1)")
    )


async def test_a_full_disk_is_the_machines_fault(sqlite_database: Database) -> None:
    full = await failing(
        sqlite_database,
        "PRAGMA max_page_count = 1",
        "INSERT INTO inbound_event (id, account, state, sealed, occurred_at, received_at)"
        " VALUES ('a', 'line', 'waiting', zeroblob(9000000), 0, 0)",
    )
    assert is_infrastructure(full)


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(28, "full"), TimeoutError(), ConnectionResetError()]
)
def test_memory_disk_and_network_are_the_machines_fault(error: Exception) -> None:
    assert is_infrastructure(error)


@pytest.mark.parametrize("error", [ValueError(), KeyError("x"), RuntimeError()])
def test_what_our_own_code_cannot_do_is_not(error: Exception) -> None:
    assert not is_infrastructure(error)
