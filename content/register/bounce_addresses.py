"""The envelope sender of each mail (VERP): a bounce comes back to it and names its mail without being read.

`b-SUBSCRIBER-VERSION-MARK@bounce domain`. The mark is made with the key, the database's identity and the salt of
the registration, so nobody can make or guess one, and none of another database or of an erased registration holds.
Figures and small letters alone: mail servers change the case of what stands before the @.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.register import subscribers
from content.register.subscribers import Subscriber

PURPOSE = "bounce"
LOCAL_PART = re.compile(r"b-([1-9][0-9]{0,17})-([1-9][0-9]{0,17})-([0-9a-f]{24})")


@dataclass(frozen=True, slots=True)
class Returned:
    """The registration and the version of the notice that a mail went to and carried."""

    subscriber: Subscriber
    version_id: int


def bounce_local_part(keys: Keys, subscriber_id: int, version_id: int, salt: int) -> str:
    mark = keys.folded_mark(PURPOSE, _marked(subscriber_id, version_id, salt))
    return f"b-{subscriber_id}-{version_id}-{mark}"


def looks_like_one(local_part: str) -> bool:
    """Whether it has the form of ours; only `find_returned` knows whether it is."""
    return LOCAL_PART.fullmatch(local_part.lower()) is not None


async def find_returned(connection: AsyncConnection, keys: Keys, local_part: str) -> Returned | None:
    """Whose mail came back; None when this database never sent one from there."""
    parts = LOCAL_PART.fullmatch(local_part.lower())
    if parts is None:
        return None
    subscriber_id, version_id = int(parts[1]), int(parts[2])
    found = await subscribers.get(connection, subscriber_id)
    if found is None:
        return None
    is_ours = keys.is_folded_mark(PURPOSE, _marked(subscriber_id, version_id, found.salt), parts[3])
    return Returned(found, version_id) if is_ours else None


def _marked(subscriber_id: int, version_id: int, salt: int) -> str:
    return f"{subscriber_id} {version_id} {salt}"
