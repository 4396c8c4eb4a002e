"""The schema: what the code expects is what the migrations make, on both databases."""

import importlib
import pkgutil

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

import content
from content import schema
from content.database import Database, metadata
from content.notices.notices import notice
from content.register import importing
from content.register.subscribers import preference
from content.staff import members
from tests.factories import make_delivery, make_subscribers

SCRIPTS = ScriptDirectory(str(schema.MIGRATIONS))
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]


async def ask(database, question):
    """Put a question to a synchronous connection."""
    async with database.write() as connection:
        return await connection.run_sync(question)


def differences(connection):
    options = {"compare_type": True, "compare_server_default": default_differs}
    context = MigrationContext.configure(connection, opts=options)
    return compare_metadata(context, metadata)


def default_differs(context, _found_column, _column, found, _default, expected):
    """Alembic's own comparison takes '' on SQLite for a difference; None leaves it to Alembic."""
    if context.dialect.name != "sqlite":
        return None
    return (found and found.strip("()'")) != (expected and expected.strip("()'"))


def constraints(connection):
    """Check constraints by table, which alembic does not compare; names as the database has them."""
    found = inspect(connection)
    return {
        table: sorted(item["name"] for item in found.get_check_constraints(table))
        for table in metadata.tables
    }


def tables(connection):
    return set(inspect(connection).get_table_names())


async def test_every_table_of_the_code_is_the_table_of_the_migrations(database):
    assert await ask(database, differences) == []


async def test_every_check_of_the_code_is_a_check_of_the_migrations(database):
    expected = {
        table.name: sorted(
            str(item.name) for item in table.constraints if type(item).__name__ == "CheckConstraint"
        )
        for table in metadata.tables.values()
    }
    assert await ask(database, constraints) == expected


async def test_no_table_stands_outside_the_code(database):
    assert await ask(database, tables) == set(metadata.tables) | {"alembic_version"}


def test_every_file_with_a_table_is_known_to_the_schema():
    known = set(metadata.tables)
    for module in pkgutil.walk_packages(content.__path__, "content."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    assert set(metadata.tables) == known


def test_migrations_form_one_line_and_their_files_bear_their_number():
    assert len(SCRIPTS.get_heads()) == 1
    assert len(SCRIPTS.get_bases()) == 1
    numbers = [path.name[:4] for path in sorted((schema.MIGRATIONS / "versions").glob("0*.py"))]
    assert numbers == REVISIONS == sorted(set(numbers))


async def test_a_database_at_the_newest_schema_is_current(database):
    await schema.require_current(database)
    await schema.upgrade(database)
    await schema.require_current(database)


async def test_every_migration_goes_up_and_down_and_up_again(database):
    try:
        for revision in ["base", *REVISIONS[:-1]][::-1]:
            await schema.downgrade(database, revision)
        assert await ask(database, tables) == {"alembic_version"}
        assert await ask(database, leftovers) == []
        for revision in REVISIONS:
            await schema.upgrade(database, revision)
        assert await ask(database, differences) == []
    finally:
        await schema.upgrade(database)


async def test_preferences_that_were_there_before_bear_account_and_state_of_their_subscriber(database):
    before = text("SELECT * FROM preference WHERE subscriber_id = 2 ORDER BY kind")
    await schema.downgrade(database, "0005")
    try:
        async with database.write() as connection:
            for number, account, state in ((1, "line", "active"), (2, "mail", "left"), (3, "mail", "active")):
                await connection.execute(
                    text(
                        "INSERT INTO subscriber (id, account, state, language, joined_at, changed_at)"
                        f" VALUES ({number}, '{account}', '{state}', 'ja', 0, 0)"
                    )
                )
                await connection.execute(
                    text(
                        "INSERT INTO preference (kind, value, subscriber_id)"
                        f" VALUES ('category', 'saigai', {number}), ('area', 'funaoka', {number})"
                    )
                )
        for _ in range(2):
            await schema.upgrade(database)
            rows = await ask(database, lambda c: c.execute(select(preference)).all())
            assert sorted(rows) == [
                (kind, value, number, account, active)
                for kind, value in (("area", "funaoka"), ("category", "saigai"))
                for number, account, active in ((1, "line", True), (2, "mail", False), (3, "mail", True))
            ]
            await schema.downgrade(database, "0005")
            rows = await ask(database, lambda c: c.execute(before).all())
            assert rows == [("area", "funaoka", 2), ("category", "saigai", 2)]
    finally:
        await schema.upgrade(database)


async def test_occurrences_that_were_there_before_keep_the_time_they_were_due(database):
    await schema.downgrade(database, "0009")
    try:
        async with database.write() as connection:
            for number, key, series, target in (
                (1, "a", "NULL", "group"),
                (2, "series 1 at 1775685600000", "1", "subscribed"),
            ):
                await connection.execute(
                    text(
                        "INSERT INTO notice (id, submission_key, state, urgency, mode, category, target_kind,"
                        " target_key, channels, created_by, created_at, series) VALUES"
                        f" ({number}, '{key}', 'draft', 'routine', 'live', 'gomi', '{target}', '', 'line', 'x', 0, {series})"
                    )
                )
        for _ in range(2):
            await schema.upgrade(database)
            rows = await ask(
                database,
                lambda c: c.execute(select(notice.c.id, notice.c.occurs_at, notice.c.closed)).all(),
            )
            assert sorted(rows) == [(1, None, True), (2, 1775685600000, False)]
            await schema.downgrade(database, "0009")
    finally:
        await schema.upgrade(database)


async def test_a_step_back_that_sqlite_cannot_take_says_so_and_changes_nothing(sqlite_database, keys):
    async with sqlite_database.write() as connection:
        await make_delivery(connection, [await make_subscribers(connection, keys, 3)])
    await schema.downgrade(sqlite_database, "0002")
    with pytest.raises(schema.SchemaMismatch, match=r"nothing was changed: .*kairanban restore"):
        await schema.downgrade(sqlite_database, "0001")
    async with sqlite_database.read() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM batch")) == 1
    await schema.upgrade(sqlite_database)


async def test_an_upgrade_that_was_stopped_half_way_goes_on(sqlite_database):
    await schema.downgrade(sqlite_database, "0006")

    async def the_machine_stops(connection):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await schema.upgrade(sqlite_database, then=the_machine_stops)
    async with sqlite_database.read() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "0006"
    await schema.upgrade(sqlite_database)
    await schema.require_current(sqlite_database)


def leftovers(connection):
    """Functions that a way down forgot (PostgreSQL alone has any)."""
    if connection.dialect.name != "postgresql":
        return []
    question = (
        "SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace"
        " WHERE nspname = 'public'"
    )
    return list(connection.scalars(text(question)))


async def test_an_empty_database_names_the_remedy(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(schema.SchemaMismatch, match="kairanban init"):
        await schema.require_current(database)
    await database.close()


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(sqlite_database):
    async with sqlite_database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (schema.require_current, schema.upgrade):
        with pytest.raises(schema.SchemaMismatch, match=f"at version 9999, .*up to {REVISIONS[-1]}: install"):
            await refused(sqlite_database)


async def test_a_database_that_is_behind_is_refused_with_the_remedy(sqlite_database, monkeypatch):
    monkeypatch.setattr(schema, "_head", lambda: "9999")
    with pytest.raises(schema.SchemaMismatch, match=f"at version {REVISIONS[-1]}, .*needs 9999: .*backup"):
        await schema.require_current(sqlite_database)


async def test_roles_of_before_become_rights_that_give_nobody_more_or_less(database):
    await schema.downgrade(database, "0015")
    try:
        async with database.write() as connection:
            for number, role in enumerate(("viewer", "editor", "administrator"), start=1):
                await connection.execute(
                    text(
                        "INSERT INTO staff_member (id, login, password_hash, role, created_at)"
                        f" VALUES ({number}, '{role}', '', '{role}', 0)"
                    )
                )
        await schema.upgrade(database)
        async with database.read() as connection:
            found = await members.everybody(connection)
        assert [member.role for member in found] == [member.login for member in found]
        assert [member.may("approve", "kosodate") for member in found] == [False, True, True]
        await schema.downgrade(database, "0015")
        async with database.read() as connection:
            rows = (await connection.execute(text("SELECT login, role FROM staff_member"))).all()
        assert all(login == role for login, role in rows)
    finally:
        await schema.upgrade(database)


async def test_an_import_that_was_on_its_way_during_the_update_comes_in_whole(sqlite_database, keys):
    await schema.downgrade(sqlite_database, "0020")
    async with sqlite_database.write() as connection:
        for statement in (
            "INSERT INTO subscriber (id, account, state, language, joined_at, changed_at, salt)"
            " VALUES (7, 'line', 'active', 'ja', 0, 0, 1)",
            "INSERT INTO registration_import (id, state, reason, begun_at, staged)"
            " VALUES (1, 'decided', 'import', 0, 3), (2, 'staging', 'import', 0, 1)",
            "INSERT INTO staged_registration"
            " (import_id, number, account, lookup, sealed, language, choices, joined_at, salt) VALUES"
            " (1, 1, 'line', x'01', x'01', 'ja', '[]', 0, 1), (1, 2, 'line', x'02', x'02', 'ja', '[]', 0, 2),"
            " (2, 0, 'line', x'03', x'03', 'ja', '[]', 0, 3)",
        ):
            await connection.execute(text(statement))
    await schema.upgrade(sqlite_database)
    await importing.finish_decided(sqlite_database)
    async with sqlite_database.read() as connection:
        assert list(await connection.scalars(text("SELECT id FROM subscriber ORDER BY id"))) == [7, 9, 10]
        assert await connection.scalar(text("SELECT count(*) FROM staged_registration")) == 0
