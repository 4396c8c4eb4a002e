"""move: SQLite to PostgreSQL and back, with every row, number and word of the trail; the old one sends nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.engine import make_url

from bot.heartbeat import Heartbeat
from bot.service import Service, open_service
from bot.settings import Settings
from content.clock import now_ms
from content.database import Database, identity, moving
from content.database.moving import MOVING, CannotMove
from content.notices.notices import notice
from content.register.subscribers import subscriber
from content.schema import upgrade
from content.staff.audit_chain import Head, link_new, verify
from tests.bot.test_belonging import command, made
from tests.factories import SHIBATA, make_delivery, make_notice, make_subscribers
from tests.services import POSTGRES, on_postgres

pytestmark = [pytest.mark.services, pytest.mark.slow]

TOWN = {"KAIRANBAN_TOWN": str(SHIBATA)}


@pytest.fixture
async def postgres() -> AsyncIterator[str]:
    """An empty PostgreSQL database of one's own, where nobody else is connected."""
    name = f"kairanban_move_{uuid4().hex[:12]}"
    await on_postgres(f"CREATE DATABASE {name}")
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    await on_postgres(f"DROP DATABASE {name} WITH (FORCE)")


def nobody_listens(_rows: int) -> None:
    pass


async def lived_in(settings: Settings, people: int = 30) -> Service:
    """A town with registrations, a delivery, a notice to come and a trail of what was done."""
    service = await open_service(settings)
    assert await Heartbeat(settings, service.database).look() == ""
    async with service.database.write() as connection:
        ids = await make_subscribers(connection, service.keys, people)
        await make_delivery(connection, [ids[:20], ids[20:]])
        await make_notice(connection, at=now_ms() + 3_600_000)
    await link_new(service.database, service.keys)
    return service


async def own_row(database: Database) -> identity.Identity:
    async with database.read() as connection:
        found = await identity.read(connection)
    assert found is not None
    return found


async def test_a_town_moves_to_postgres_and_back_with_every_row_and_number(
    tmp_path: Path, postgres: str
) -> None:
    settings = await made(tmp_path)
    old = await lived_in(settings)
    # A number that was given and whose row is gone is never given again.
    async with old.database.write() as connection:
        await connection.execute(text("DELETE FROM trigger WHERE notice_id = (SELECT max(id) FROM notice)"))

    code, err = await command(tmp_path, "move", "--to", postgres, **TOWN)
    assert code == 0, err
    assert "どの行も同じ" in err and "もう何も送りません" in err
    target = Database(postgres)
    await moving.refuse_difference(old.database, await without_the_last_words(target), nobody_listens)
    left, arrived = await own_row(old.database), await own_row(target)
    assert (left.held_reason, arrived.held_since) == (MOVING, None)
    assert arrived.identity == left.identity and arrived.epoch > left.epoch

    # Whoever starts the old one by mistake sends nothing; the new one goes on.
    assert await Heartbeat(settings, old.database).look() == MOVING
    there = settings.model_copy(update={"database_url": type(settings.database_url)(postgres)})
    assert await Heartbeat(there, target).look() == ""
    assert isinstance(await verify(target, old.keys), Head)
    async with target.write() as connection:
        (new,) = await make_subscribers(connection, old.keys, 1, channel="mail")
        assert new == 31
        assert await make_notice(connection) == 3
    await target.close()

    back = tmp_path / "back.db"
    code, err = await command(
        tmp_path, "move", "--to", f"sqlite:///{back}", **TOWN, KAIRANBAN_DATABASE_URL=postgres
    )
    assert code == 0, err
    assert back.stat().st_mode & 0o777 == 0o600
    again = Database(f"sqlite:///{back}")
    async with again.read() as connection:
        assert len((await connection.scalars(select(subscriber.c.id))).all()) == 31
        assert len((await connection.scalars(select(notice.c.id))).all()) == 3
    assert (await own_row(again)).held_since is None
    await again.close()
    await old.database.close()


async def without_the_last_words(target: Database) -> Database:
    """What the target alone has: the entry that it has arrived."""
    async with target.write() as connection:
        await connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER USER"))
        gone = await connection.execute(text("DELETE FROM audit_entry WHERE action = 'database.moved'"))
        assert gone.rowcount == 1
        await connection.execute(text("ALTER TABLE audit_entry ENABLE TRIGGER USER"))
    return target


async def test_a_copy_that_was_cut_off_goes_on_and_notices_what_changed_meanwhile(
    tmp_path: Path, postgres: str
) -> None:
    old = await lived_in(await made(tmp_path), people=2 * moving.SLICE + 500)
    async with old.database.write() as connection:
        await identity.hold(connection, MOVING, now_ms())
    own = await own_row(old.database)
    target = Database(postgres)
    await upgrade(target)
    await moving.prepare(target, own)

    class CutOff(Exception):
        pass

    copied = 0

    def cut_off(rows: int) -> None:
        nonlocal copied
        copied += rows
        if copied > moving.SLICE:
            raise CutOff

    with pytest.raises(CutOff):
        await moving.copy_rows(old.database, target, cut_off)
    assert 0 < await moving.count_rows(target) < await moving.count_rows(old.database)
    await moving.refuse_unless_begun(target, own)
    await moving.prepare(target, own)
    seen: list[int] = []
    await moving.copy_rows(old.database, target, seen.append)
    assert sum(seen) == await moving.count_rows(old.database)
    await moving.refuse_difference(old.database, target, nobody_listens)

    async with old.database.write() as connection:
        await connection.execute(update(subscriber).where(subscriber.c.id == 4321).values(language="en"))
    with pytest.raises(CannotMove, match=r"table subscriber differs at id 4321.*begin anew"):
        await moving.refuse_difference(old.database, target, nobody_listens)
    await target.close()
    await old.database.close()


async def test_what_stands_in_the_way_is_named_and_nothing_is_changed(tmp_path: Path, postgres: str) -> None:
    settings = await made(tmp_path)
    service = await lived_in(settings)
    other = tmp_path / "other"
    other.mkdir()
    await made(other)
    refused = {
        f"sqlite:///{tmp_path}/kairanban.db": "in use",
        f"sqlite:///{other}/kairanban.db": "already holds",
        "mysql://127.0.0.1/town": "must begin with",
        "postgresql://127.0.0.1:1/town": "cut off",
    }
    for to, words in refused.items():
        code, err = await command(tmp_path, "move", "--to", to, **TOWN)
        assert code in (1, 2) and words in err and "Traceback" not in err, (to, err)
    connected = Database(postgres)
    async with connected.read() as connection:
        await connection.execute(select(1))
        code, err = await command(tmp_path, "move", "--to", postgres, **TOWN)
    assert code == 1 and "stop every kairanban process" in err
    await connected.close()
    # A town whose move was refused goes on sending.
    assert (await own_row(service.database)).held_since is None
    untouched = Database(f"sqlite:///{other}/kairanban.db")
    assert (await own_row(untouched)).held_since is None
    await untouched.close()

    # What is due must have been looked at before, else nobody would know afterwards why it is held.
    async with service.database.write() as connection:
        await connection.execute(
            update(identity.database_identity).values(held_since=1, held_reason="restored")
        )
    code, err = await command(tmp_path, "move", "--to", postgres, **TOWN)
    assert code == 1 and "kairanban restore" in err
    await service.database.close()
