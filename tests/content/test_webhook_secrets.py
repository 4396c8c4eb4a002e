"""The secret of a webhook changes under the registration that it has."""

from __future__ import annotations

from sqlalchemy import update

from content.database import Database
from content.keys import Keys
from content.register.address_book import open_addresses
from content.register.registration import Registration, register_many
from content.register.subscribers import address
from content.register.webhook_secrets import renew_secrets
from tests.factories import APRIL_TUESDAY, line_id

URL = "https://bus.example.jp/hook"
OLD, NEW = "whsec_" + "A" * 32, "whsec_" + "B" * 32


def hook(secrets: str, url: str = URL) -> Registration:
    return Registration("webhook", "webhook", f"{url} {secrets}", registered_at=APRIL_TUESDAY)


async def renew(database: Database, keys: Keys, *items: Registration) -> int:
    async with database.write() as connection:
        return await renew_secrets(connection, keys, items)


async def clear(database: Database, keys: Keys, *ids: int) -> list[str]:
    opened = await database.read_step(lambda c: open_addresses(c, keys, "webhook", ids))
    return [opened.clear[one][0] for one in ids if one in opened.clear]


async def test_only_the_webhook_that_is_named_changes_and_only_once(database: Database, keys: Keys) -> None:
    other = hook(OLD, "https://radio.example.jp/hook")
    async with database.write() as connection:
        ids = await register_many(connection, keys, [hook(OLD), other], reason="import")
    items = (hook(f"{NEW} {OLD}"), other, hook(NEW, "https://new.example.jp/hook"))
    assert await renew(database, keys, *items) == 1
    assert await clear(database, keys, *ids) == [f"{URL} {NEW} {OLD}", other.address]
    assert await renew(database, keys, *items) == 0


async def test_addresses_of_other_channels_are_left_alone(database: Database, keys: Keys) -> None:
    friend = Registration("line", "line", line_id(1), registered_at=APRIL_TUESDAY)
    async with database.write() as connection:
        await register_many(connection, keys, [friend], reason="import")
    assert await renew(database, keys, friend) == 0


async def test_a_secret_that_cannot_be_read_any_more_is_replaced(database: Database, keys: Keys) -> None:
    async with database.write() as connection:
        (number,) = await register_many(connection, keys, [hook(OLD)], reason="import")
        broken = keys.seal(hook(OLD).address, "another row")
        await connection.execute(update(address).values(sealed=broken))
    assert await clear(database, keys, number) == []
    assert await renew(database, keys, hook(NEW)) == 1
    assert await clear(database, keys, number) == [hook(NEW).address]
