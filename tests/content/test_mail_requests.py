"""Asking by mail address: nobody learns anything, nothing stays, and each link works once."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from content.clock import DAY, HOUR, MINUTE
from content.database import Database
from content.keys import Keys
from content.register import mail_requests
from content.register.mail_requests import MailPurpose, MailRequest, TooManyRequests, mail_request
from content.register.states import Route
from tests.factories import APRIL_TUESDAY as NOW
from tests.factories import NEWCOMER, make_subscriber

HANAKO = "hanako@example.jp"


async def ask(database: Database, keys: Keys, plain: str = HANAKO, at: int = NOW) -> None:
    await mail_requests.ask(
        database, keys, account="mail", plain=plain, language="ja-easy", route=Route.WEB, at=at
    )


async def letters(database: Database, keys: Keys, at: int = NOW, most: int = 10) -> list[MailRequest]:
    return await mail_requests.claim_letters(database, keys, at=at, most=most)


async def number(database: Database) -> int:
    async with database.read() as connection:
        return await connection.scalar(select(func.count()).select_from(mail_request)) or 0


async def test_an_unknown_address_is_asked_to_confirm_in_the_chosen_language(
    database: Database, keys: Keys
) -> None:
    await ask(database, keys)
    (letter,) = await letters(database, keys)
    assert (letter.purpose, letter.language, letter.address) == (MailPurpose.JOIN, "ja-easy", HANAKO)
    async with database.read() as connection:
        found = await mail_requests.find(connection, keys, MailPurpose.JOIN, letter.token)
        other = await mail_requests.find(connection, keys, MailPurpose.SETTINGS, letter.token)
        forged = await mail_requests.find(connection, keys, MailPurpose.JOIN, letter.token + "A")
    assert found == letter and other is None and forged is None


async def test_a_registered_address_gets_the_way_to_its_settings(database: Database, keys: Keys) -> None:
    async with database.write() as connection:
        await make_subscriber(connection, keys, NEWCOMER, address=HANAKO)
    await ask(database, keys)
    (letter,) = await letters(database, keys)
    assert (letter.purpose, letter.language) == (MailPurpose.SETTINGS, "en")
    assert letter.is_open(NOW + HOUR - 1) and not letter.is_open(NOW + HOUR)


async def test_one_address_is_not_flooded(database: Database, keys: Keys) -> None:
    for minute in (0, 1, 10, 20, 30, 40):
        await ask(database, keys, at=NOW + minute * MINUTE)
    await ask(database, keys, "taro@example.jp")
    assert await number(database) == mail_requests.LETTERS_A_DAY + 1
    await ask(database, keys, at=NOW + DAY + HOUR)
    assert await number(database) == mail_requests.LETTERS_A_DAY + 2


async def test_beyond_a_full_queue_nothing_is_taken(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_requests, "MOST_WAITING", 2)
    for name in ("a", "b"):
        await ask(database, keys, f"{name}@example.jp")
    with pytest.raises(TooManyRequests):
        await ask(database, keys, "c@example.jp")
    assert await number(database) == 2


async def test_a_letter_that_was_not_sent_comes_again_and_one_that_was_does_not(
    database: Database, keys: Keys
) -> None:
    await ask(database, keys)
    (letter,) = await letters(database, keys)
    assert not await letters(database, keys, NOW + MINUTE)
    assert await letters(database, keys, NOW + 3 * MINUTE) == [letter]
    async with database.write() as connection:
        await mail_requests.letter_sent(connection, letter.id)
    assert not await letters(database, keys, NOW + HOUR)


async def test_a_link_works_once_and_in_its_time(database: Database, keys: Keys) -> None:
    await ask(database, keys)
    (letter,) = await letters(database, keys)
    async with database.write() as connection:
        assert not await mail_requests.use(connection, letter, NOW + 48 * HOUR)
        assert await mail_requests.use(connection, letter, NOW + 47 * HOUR)
        assert not await mail_requests.use(connection, letter, NOW + 47 * HOUR)


async def test_what_nobody_confirmed_goes_with_its_address(database: Database, keys: Keys) -> None:
    await ask(database, keys)
    async with database.write() as connection:
        await mail_requests.forget_old(connection, NOW + 48 * HOUR - 1)
    assert await number(database) == 1
    async with database.write() as connection:
        await mail_requests.forget_old(connection, NOW + 48 * HOUR)
    assert await number(database) == 0
