"""Signing in: one answer and one time for every name, and strangers cannot shut out a colleague."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Row, select

from content.clock import now_ms
from content.database import Database
from content.staff import members, passwords
from content.staff.failed_sign_ins import FailedSignIns, Outcome, Who
from content.staff.hashing import Busy, HashingQueue
from content.staff.members import LONGEST_LOGIN, Staff, staff_member
from content.staff.throttle import TRIES, TRIES_OF_SOURCE, Throttle


@dataclass(frozen=True, slots=True)
class Device:
    """A browser from which members signed in before: their ids, and when last (ms)."""

    id: str
    members: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who wants to enter, from where. `source` is what counts as one visitor: an address or a network."""

    login: str
    password: str = field(repr=False)
    source: str
    device: Device | None = None


class SignIns:
    """The door of one process: it remembers who failed, and lets a few at a time to the hashing."""

    def __init__(self, database: Database, queue: HashingQueue | None = None) -> None:
        self._database = database
        self._throttle = Throttle()
        self._queue = queue or HashingQueue()
        self.failures = FailedSignIns()

    async def enter(self, attempt: Attempt) -> Staff | None:
        """The member; None when login and password do not fit, or when this source has to wait. Raises Busy.

        Whoever has to wait, is disabled or does not exist goes the same way, the hashing included: neither
        the answer nor its time tells which names there are.
        """
        row = await self._find(attempt.login)
        known = row is not None and _knows(attempt.device, row)
        limits = _limits(attempt, known)
        may_try = self._throttle.may_try(limits)
        may_enter = may_try and row is not None and row.disabled_at is None
        password_hash = row.password_hash if row is not None and may_enter else None
        try:
            fits = await self._queue.run(
                partial(passwords.fits, password_hash, attempt.password),
                who=_who(attempt, known),
                known=known,
            )
        except Busy:
            if may_try:
                self._take_back(limits)
            self._failed(attempt, row, "turned_away")
            raise
        if not fits or row is None:
            self._failed(attempt, row, "wrong" if may_try else "waiting")
            return None
        self._take_back(limits)
        self._throttle.forget(next(iter(limits)))
        async with self._database.read() as connection:
            # Asked for anew: access may have ended while the password was hashed.
            return await members.get(connection, row.id)

    def may_try_code(self, member: Staff, source: str) -> bool:
        """Whether this source may type another code of the second factor; the try counts."""
        return self._throttle.may_try({("code", source, member.id): TRIES})

    def code_failed(self, member: Staff, source: str) -> None:
        self.failures.count(Who(source, member.id), "wrong_code", now_ms())

    def code_fitted(self, member: Staff, source: str) -> None:
        self._throttle.forget(("code", source, member.id))

    def close(self) -> None:
        self._queue.close()

    async def _find(self, login: str) -> Row[Any] | None:
        # PostgreSQL refuses a NUL inside a text; nobody is called so.
        wanted = login.replace("\0", "\N{REPLACEMENT CHARACTER}")
        async with self._database.read() as connection:
            found = await connection.execute(select(staff_member).where(staff_member.c.login == wanted))
            return found.one_or_none()

    def _failed(self, attempt: Attempt, row: Row[Any] | None, outcome: Outcome) -> None:
        who = Who(attempt.source, row.id if row is not None else None)
        self.failures.count(who, outcome, now_ms())

    def _take_back(self, limits: Mapping[Hashable, int]) -> None:
        for key in limits:
            self._throttle.take_back(key)


def _knows(device: Device | None, row: Row[Any]) -> bool:
    """Whether this member signed in from the device, and has had the same password since."""
    return device is not None and device.members.get(row.id, -1) >= row.password_set_at


def _who(attempt: Attempt, known: bool) -> str:
    return f"device {attempt.device.id}" if known and attempt.device else attempt.source


def _limits(attempt: Attempt, known: bool) -> dict[Hashable, int]:
    """The keys that the try counts for, the one of this login first."""
    who = _who(attempt, known)
    # Cut, since what is typed into the field must not fill the memory.
    mine: dict[Hashable, int] = {(who, attempt.login[:LONGEST_LOGIN]): TRIES}
    return mine if known else mine | {who: TRIES_OF_SOURCE}
