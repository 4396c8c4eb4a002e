"""Which accounts are known to be stopped, so that an acceptance clears the row and others cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from content.database import Database
from content.ledger import account_outages

T = TypeVar("T")


class KnownOutages:
    """The rows of `account_outage`, as this process read them a few seconds ago."""

    def __init__(self) -> None:
        self._accounts: set[str] = set()

    async def refresh(self, database: Database) -> None:
        async with database.read() as connection:
            self._accounts = await account_outages.stopped_accounts(connection)

    def add(self, account: str) -> None:
        self._accounts.add(account)

    def ending_with(self, step: Callable[[Connection], T], account: str) -> Callable[[Connection], T]:
        """`step`, which writes down an acceptance, and with it the end of the account's outage if there is one."""
        if account not in self._accounts:
            return step

        def step_and_end(connection: Connection) -> T:
            result = step(connection)
            account_outages.end(connection, account)
            return result

        return step_and_end
