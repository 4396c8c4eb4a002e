"""Who is told of every commit of the ledger, so that a copy from before it can be known as one."""

from __future__ import annotations

from typing import Protocol, TypeVar

from sqlalchemy import Connection

Count = TypeVar("Count")


class CommitCounter(Protocol[Count]):
    """`count` within each transaction, then `committed`, before whoever asked for the transaction hears of it.

    Both on the thread that writes; `committed` raises nothing, for what is committed has not failed.
    """

    def count(self, connection: Connection) -> Count | None:
        """None when this commit is not to be counted."""
        ...

    def committed(self, count: Count) -> None:
        """The transaction is on the disk."""
        ...
