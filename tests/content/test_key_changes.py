"""Keys change while the service goes on: nothing gets lost, nobody is registered twice, links that were sent still work."""

from __future__ import annotations

import base64
import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content import key_changes, resealing
from content.clock import DAY, now_ms
from content.database import Database, metadata
from content.database.secret_keys import purpose_key, read_ring
from content.key_changes import (
    SETTLES,
    CannotChange,
    begin_retiring,
    finish_retiring,
    note_added,
    put_in_force,
)
from content.key_file import KeyFileError
from content.key_ring import KeyPurpose
from content.keys import Keys
from content.ledger import presence
from content.register import children, importing, inbound_events, mail_requests, subscribers, trial_addresses
from content.register.address_book import open_addresses
from content.register.adopting import adopt
from content.register.bounce_addresses import bounce_local_part, find_returned
from content.register.imports import registration_import
from content.register.inbound_events import Arrival
from content.register.registration import Registration
from content.register.states import Route
from content.register.subscriber_changes import join
from content.register.subscribers import Preferences, address
from content.register.tokens import find_by_token, subscriber_token
from content.staff import audit, audit_chain, audit_line, member_changes, second_factor
from content.staff.audit_chain import Broken, Head, link_new, verify
from tests.factories import NEWCOMER, PARENT, line_id, make_subscriber, make_subscribers

TODAY = date(2026, 4, 7)
FIRST, SECOND = b"k" * 32, b"n" * 32
HERE = "a" * 32
NOW = now_ms()
LATER = NOW + SETTLES
"""All processes have met what was written at NOW."""


def held(*numbers: int) -> Keys:
    return Keys({number: (FIRST, SECOND)[number - 1] for number in numbers}, HERE, at=NOW)


async def renewed(database: Database, *numbers: int, at: int = LATER) -> Keys:
    """The keys of a process that holds these, as it knows them at that moment."""
    keys = held(*numbers)
    async with database.read() as connection:
        keys.renew(keys.roots, await read_ring(connection, keys), at)
    return keys


async def second_in_force(database: Database) -> Keys:
    keys = held(1, 2)
    async with database.write() as connection:
        await note_added(connection, keys, 2, at=NOW, actor="cli:test")
        await put_in_force(connection, keys, 2, at=NOW, actor="cli:test")
    return await renewed(database, 1, 2)


async def retired(database: Database, keys: Keys, *, links_last: int = 90 * DAY) -> Keys:
    """The first key is gone; what a process knows that holds the second alone."""
    async with database.write() as connection:
        await begin_retiring(connection, keys, 1, at=LATER, actor="cli:test", links_last=links_last)
    async for _ in resealing.reseal(database, keys, 1):
        pass
    async with database.write() as connection:
        assert await finish_retiring(connection, 1, at=LATER, actor="cli:test")
    return await renewed(database, 2, at=LATER + SETTLES)


@pytest.fixture
async def staff_id(database: Database) -> int:
    async with database.write() as connection:
        new_id, _ = await member_changes.invite(connection, login="tanaka", role="editor", at=NOW)
    return new_id


async def find(database: Database, keys: Keys, plain: str, channel: str = "mail") -> int | None:
    async with database.read() as connection:
        return await subscribers.find(connection, keys, channel, channel, plain)


async def test_as_long_as_there_was_one_key_everything_is_as_it_was(database: Database) -> None:
    before = Keys({1: FIRST}, HERE)
    now = await renewed(database, 1)
    assert now.lookup("mail", "a@example.jp") == before.lookup("mail", "a@example.jp")
    assert now.verify("unsubscribe", before.sign("unsubscribe", "17")) == "17"
    assert now.session_secret == before.session_secret
    assert now.message_number("x 1") == before.message_number("x 1")


async def test_a_key_in_the_file_seals_nothing_until_it_is_in_force(database: Database) -> None:
    async with database.write() as connection:
        await note_added(connection, held(1, 2), 2, at=NOW, actor="cli:test")
    waiting = await renewed(database, 1, 2)
    assert waiting.seal("a@example.jp", "row")[1] == 1
    assert (await renewed(database, 1)).sealing == 1
    in_force = await second_in_force(database)
    assert in_force.seal("a@example.jp", "row")[1] == 2
    with pytest.raises(KeyFileError, match="lacks key 2"):
        await renewed(database, 1)


async def test_another_key_of_the_same_number_is_refused(database: Database) -> None:
    await second_in_force(database)
    strange = Keys({1: FIRST, 2: b"x" * 32}, HERE)
    async with database.read() as connection:
        with pytest.raises(KeyFileError, match="another machine"):
            await read_ring(connection, strange)


async def test_a_process_that_lacks_the_key_keeps_it_from_being_in_force(database: Database) -> None:
    async with database.write() as connection:
        await note_added(connection, held(1, 2), 2, at=NOW, actor="cli:test")
        await presence.renew(connection, "here", NOW, (1, 2))
        await presence.renew(connection, "elsewhere", NOW, (1,))
    with pytest.raises(CannotChange, match="elsewhere"):
        await second_in_force(database)
    assert (await renewed(database, 1)).sealing == 1
    async with database.write() as connection:
        await presence.renew(connection, "elsewhere", NOW, (1, 2))
    assert (await second_in_force(database)).sealing == 2


async def test_while_keys_change_everybody_is_found_and_nobody_registered_again(database: Database) -> None:
    async with database.write() as connection:
        known = await make_subscriber(connection, held(1), NEWCOMER)
    both = await second_in_force(database)
    assert await find(database, both, NEWCOMER.address) == known.id
    async with database.write() as connection:
        again = await make_subscriber(connection, both, NEWCOMER)
        parent = await make_subscriber(connection, both, PARENT)
        friends = await adopt(
            connection,
            both,
            account="line",
            channel="line",
            plain=[PARENT.address, line_id(7)],
            preferences=Preferences(),
            at=NOW,
        )
    assert again.id == known.id
    assert friends == [line_id(7)]
    # A process that has not noticed yet.
    assert await find(database, held(1, 2), PARENT.address, "line") == parent.id


async def test_after_a_key_is_retired_the_new_one_alone_opens_and_finds_everything(
    database: Database, staff_id: int
) -> None:
    first = held(1)
    async with database.write() as connection:
        mail = await make_subscriber(connection, first, NEWCOMER)
        many = await make_subscribers(connection, first, resealing.SLICE + 5)
        hook = "https://hooks.example.jp/1 whsec_" + base64.b64encode(b"s" * 24).decode()
        partner, _ = await join(
            connection,
            first,
            account="webhook",
            channel="webhook",
            plain=hook,
            preferences=Preferences(),
            reason="form",
            at=NOW,
        )
        await children.add_child(
            connection, first, mail.id, "2025-06", "はな", today=TODAY, route=Route.WEB, at=NOW
        )
        tried = await trial_addresses.add(
            connection,
            first,
            staff_id=staff_id,
            account="mail",
            channel="mail",
            plain="me@example.jp",
            at=NOW,
        )
        secret = await second_factor.begin(connection, first, staff_id)
        event = Arrival("e1", "line", NOW, {"type": "follow"})
        await inbound_events.store(connection, inbound_events.sealed_rows(first, [event], NOW))
    await mail_requests.ask(
        database, first, account="mail", plain="new@example.jp", language="ja", route=Route.WEB, at=NOW
    )

    second = await retired(database, await second_in_force(database))

    assert await find(database, second, NEWCOMER.address) == mail.id
    assert await find(database, second, line_id(3), "line") == many[2]
    assert await find(database, second, hook, "webhook") == partner.id
    async with database.write() as connection:
        opened = await connection.run_sync(lambda it: open_addresses(it, second, "line", many))
        assert len(opened.clear) == len(many) and not opened.unreadable
        assert [child.word for child in await children.children_of(connection, second, mail.id)] == ["はな"]
        assert [item.plain for item in await trial_addresses.of_staff(connection, second, staff_id)] == [
            "me@example.jp"
        ]
        again = await trial_addresses.add(
            connection,
            second,
            staff_id=staff_id,
            account="mail",
            channel="mail",
            plain="me@example.jp",
            at=NOW,
        )
        assert again == tried
        assert await second_factor.begin(connection, second, staff_id) == secret
        (waiting,) = await inbound_events.waiting(connection, second)
        assert waiting.payload == {"type": "follow"}
    (letter,) = await mail_requests.claim_letters(database, second, at=NOW, most=5)
    assert letter.address == "new@example.jp"


async def test_what_is_not_done_yet_keeps_the_key_from_being_retired(database: Database) -> None:
    async with database.write() as connection:
        await make_subscribers(connection, held(1), 3)
    both = await second_in_force(database)
    async with database.write() as connection:
        await begin_retiring(connection, both, 1, at=LATER, actor="cli:test", links_last=DAY)
        assert not await finish_retiring(connection, 1, at=LATER, actor="cli:test")
    assert (await renewed(database, 1, 2)).numbers == {1, 2}


async def test_cut_off_in_the_middle_it_finds_what_is_left(database: Database) -> None:
    async with database.write() as connection:
        ids = await make_subscribers(connection, held(1), 3 * resealing.SLICE)
    both = await second_in_force(database)
    async for _ in resealing.reseal(database, both, 1):
        break
    async with database.read() as connection:
        assert await resealing.count_sealed(connection, 1) == 2 * resealing.SLICE
        opened = await connection.run_sync(lambda it: open_addresses(it, both, "line", ids))
    assert len(opened.clear) == len(ids)
    second = await retired(database, both)
    async with database.read() as connection:
        opened = await connection.run_sync(lambda it: open_addresses(it, second, "line", ids))
    assert len(opened.clear) == len(ids)


async def test_a_row_that_is_written_meanwhile_is_not_overwritten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.write() as connection:
        (number,) = await make_subscribers(connection, held(1), 1)
    both = await second_in_force(database)
    sealed = both.seal(line_id(99), subscribers.seal_place(number, "line"))

    renew = resealing._renew

    async def overtaken(*given: Any) -> resealing.Resealed:
        async with database.write() as connection:
            await connection.execute(
                update(address).where(address.c.subscriber_id == number).values(sealed=sealed)
            )
        return await renew(*given)

    monkeypatch.setattr(resealing, "_renew", overtaken)
    async for _ in resealing.reseal(database, both, 1):
        pass
    async with database.read() as connection:
        assert await connection.scalar(select(address.c.sealed)) == sealed


async def test_a_seal_that_nothing_opens_stays_unreadable_and_holds_nobody_up(database: Database) -> None:
    async with database.write() as connection:
        damaged, well = await make_subscribers(connection, held(1), 2)
        await connection.execute(
            update(address)
            .where(address.c.subscriber_id == damaged)
            .values(sealed=held(1).seal("elsewhere", "another row"))
        )
    second = await retired(database, await second_in_force(database))
    async with database.read() as connection:
        opened = await connection.run_sync(lambda it: open_addresses(it, second, "line", [damaged, well]))
    assert (set(opened.clear), opened.unreadable) == ({well}, frozenset({damaged}))


async def test_two_registrations_of_one_address_are_told_of(database: Database) -> None:
    """In the moment of the change two processes may each register the same person."""
    async with database.write() as connection:
        await make_subscriber(connection, held(1), NEWCOMER)
    both = await second_in_force(database)
    alone = Keys({2: SECOND}, HERE, both.ring, at=LATER)
    async with database.write() as connection:
        await make_subscriber(connection, alone, NEWCOMER)
    parts = [part async for part in resealing.reseal(database, both, 1)]
    assert sum(part.doubles for part in parts) == 1


def test_every_column_of_seals_is_made_anew_or_said_to_be_left_out() -> None:
    columns = {
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if column.name.startswith("sealed")
    }
    known = {item.column for item in resealing.SEALED}
    left_out = {table.c.sealed for table in (*resealing.NOT_RESEALED, *resealing.NOT_THERE)}
    assert columns == known | left_out


async def test_links_that_were_sent_work_for_their_time_and_not_longer(database: Database) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, held(1), PARENT)
    sent = subscriber_token(held(1), "unsubscribe", parent.id, parent.salt)
    came_from = bounce_local_part(held(1), parent.id, 5, parent.salt)
    mark = held(1).mark("friend link", "@town")
    second = await retired(database, await second_in_force(database), links_last=90 * DAY)
    new = subscriber_token(second, "unsubscribe", parent.id, parent.salt)
    assert new != sent
    async with database.read() as connection:
        for token in (sent, new):
            found = await find_by_token(connection, second, "unsubscribe", token)
            assert found is not None and found.id == parent.id
        returned = await find_returned(connection, second, came_from)
        assert returned is not None and returned.version_id == 5
        assert second.is_mark("friend link", "@town", mark)
        much_later = await renewed(database, 2, at=LATER + 91 * DAY)
        assert await find_by_token(connection, much_later, "unsubscribe", sent) is None
        assert await find_by_token(connection, much_later, "unsubscribe", new) is not None


async def test_links_can_be_ended_at_once(database: Database) -> None:
    sent = held(1).sign("unsubscribe", "17")
    second = await retired(database, await second_in_force(database), links_last=0)
    assert second.verify("unsubscribe", sent) is None


async def test_a_mail_that_is_sent_again_bears_the_message_id_that_it_had(database: Database) -> None:
    before = held(1).message_number("abc 7")
    second = await retired(database, await second_in_force(database))
    assert second.message_number("abc 7") == before


@pytest.mark.parametrize("purpose", key_changes.ROTATED)
async def test_a_purpose_is_rotated_without_the_others(database: Database, purpose: KeyPurpose) -> None:
    before = await renewed(database, 1, at=NOW)
    async with database.write() as connection:
        await key_changes.rotate(connection, before, purpose, at=NOW, actor="cli:test")
    after = await renewed(database, 1, at=LATER)
    changed = {
        one for one in KeyPurpose if before.of_purpose(one)[0].secret != after.of_purpose(one)[0].secret
    }
    assert changed == {purpose}
    assert after.lookup("mail", "a@example.jp") == before.lookup("mail", "a@example.jp")


async def test_a_new_key_of_a_purpose_begins_when_everybody_knows_it(database: Database) -> None:
    before = await renewed(database, 1, at=NOW)
    async with database.write() as connection:
        await key_changes.rotate(connection, before, KeyPurpose.LINKS, at=NOW, actor="cli:test")
    early = await renewed(database, 1, at=NOW + 1)
    late = await renewed(database, 1, at=LATER)
    assert early.sign("x", "1") == before.sign("x", "1")
    assert early.verify("x", late.sign("x", "1")) == "1"


async def test_rotated_again_and_again_the_first_links_keep_their_time(database: Database) -> None:
    first = held(1).sign("x", "1")
    async with database.write() as connection:
        keys = await renewed(database, 1, at=NOW)
        await key_changes.rotate(connection, keys, KeyPurpose.LINKS, at=NOW, actor="cli:test")
    async with database.write() as connection:
        keys = await renewed(database, 1, at=LATER)
        await key_changes.rotate(connection, keys, KeyPurpose.LINKS, at=NOW + 80 * DAY, actor="cli:test")
    assert (await renewed(database, 1, at=NOW + 89 * DAY)).verify("x", first) == "1"
    assert (await renewed(database, 1, at=NOW + 91 * DAY)).verify("x", first) is None


async def written(database: Database, keys: Keys, *actions: str) -> None:
    async with database.write() as connection:
        for action in actions:
            await audit.record(connection, at=NOW, actor="tanaka", action=action)
    while await link_new(database, keys):
        pass


async def test_the_trail_is_whole_before_and_after_a_key_is_retired(database: Database) -> None:
    await written(database, held(1), "staff.added", "staff.disabled")
    line = audit_line.make(held(1), "043231", TODAY, Head(2, b"x" * 32))
    second = await retired(database, await second_in_force(database))
    await written(database, second, "staff.enabled")
    head = await verify(database, second)
    assert isinstance(head, Head) and head.number > 3
    assert audit_line.is_own(second, line)


async def test_a_process_that_does_not_know_the_new_key_yet_links_nothing(database: Database) -> None:
    await written(database, held(1), "staff.added")
    async with database.write() as connection:
        await key_changes.rotate(
            connection, await renewed(database, 1), KeyPurpose.AUDIT, at=NOW, actor="cli:test"
        )
        await audit.record(connection, at=NOW, actor="tanaka", action="staff.disabled")
    assert await link_new(database, held(1)) is None
    assert await link_new(database, await renewed(database, 1)) is not None
    assert isinstance(await verify(database, await renewed(database, 1)), Head)


async def test_with_the_leaked_key_nobody_writes_the_later_trail_anew(sqlite_database: Database) -> None:
    database = sqlite_database
    await written(database, held(1), "staff.added", "staff.disabled")
    second = await retired(database, await second_in_force(database))
    await written(database, second, "staff.enabled", "staff.added")
    async with database.write() as connection:
        await _forge_all_links(connection, held(1))
    found = await verify(database, second)
    assert isinstance(found, Broken) and found.number == 3


async def _forge_all_links(connection: AsyncConnection, stolen: Keys) -> None:
    """All links from the first on, as the thief of the first key can make them for the entries that he likes."""
    rows = (await connection.execute(select(audit_chain.audit_link).order_by("number"))).all()
    entries = {row.id: row for row in await connection.execute(select(audit.audit_entry))}
    await connection.execute(text("DROP TRIGGER IF EXISTS audit_link_no_update"))
    head = Head()
    for row in rows:
        head = Head(row.number, audit_chain._hash(stolen, head, entries[row.entry_id]))
        await connection.execute(
            update(audit_chain.audit_link)
            .where(audit_chain.audit_link.c.number == row.number)
            .values(hash=head.hash)
        )


async def test_an_import_waits_until_the_keys_are_exchanged(database: Database) -> None:
    both = await second_in_force(database)
    newcomer = [Registration("mail", "mail", NEWCOMER.address, NEWCOMER.preferences, NOW)]
    with pytest.raises(importing.KeysChanging):
        await importing.import_registrations(database, both, newcomer, lambda rows: None, at=NOW)
    second = await retired(database, both)
    done = await importing.import_registrations(database, second, newcomer, lambda rows: None, at=NOW)
    assert done.new == 1


async def test_an_import_under_way_is_given_up_when_a_key_comes_into_force(database: Database) -> None:
    async with database.write() as connection:
        await importing.begin(connection, reason="import", at=NOW - 1, number=1)
    await second_in_force(database)
    async with database.read() as connection:
        states = list(await connection.scalars(select(registration_import.c.state)))
    assert states == ["given_up"]


@pytest.mark.parametrize(("number", "words"), [(2, "is the one in force"), (7, "there is no key 7")])
async def test_what_cannot_be_retired_is_said(database: Database, number: int, words: str) -> None:
    both = await second_in_force(database)
    async with database.write() as connection:
        with pytest.raises(CannotChange, match=words):
            await begin_retiring(connection, both, number, at=LATER, actor="cli:test", links_last=0)
        assert not await connection.scalar(select(func.count()).select_from(purpose_key))


async def test_the_only_key_cannot_be_retired(database: Database) -> None:
    async with database.write() as connection:
        with pytest.raises(CannotChange, match="kairanban key add"):
            await begin_retiring(connection, held(1), 1, at=LATER, actor="cli:test", links_last=0)


async def test_no_key_lies_in_the_database_in_clear(database: Database) -> None:
    second = await retired(database, await second_in_force(database))
    async with database.read() as connection:
        rows = (await connection.execute(select(purpose_key))).all()
    told = json.dumps([bytes(row.sealed).hex() for row in rows])
    for purpose in KeyPurpose:
        for key in second.of_purpose(purpose):
            assert key.secret.hex() not in told
