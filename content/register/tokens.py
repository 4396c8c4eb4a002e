"""The signed name of a registration in a link: it stands for this registration of this database and no other."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.register import subscribers
from content.register.subscribers import Subscriber

LONGEST_ID = 18


def subscriber_token(keys: Keys, purpose: str, subscriber_id: int, salt: int) -> str:
    return keys.sign(purpose, str(subscriber_id), salt)


async def find_by_token(
    connection: AsyncConnection, keys: Keys, purpose: str, token: str
) -> Subscriber | None:
    """Whose token it is; None when this database never gave it out for this purpose."""
    value = token.rpartition(".")[0]
    if not value.isascii() or not value.isdigit() or len(value) > LONGEST_ID:
        return None
    found = await subscribers.get(connection, int(value))
    return found if found and keys.verify(purpose, token, found.salt) else None
