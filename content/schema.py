"""Bringing a database to the form that this code expects, and refusing one that is ahead of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database, identity, metadata, secret_keys
from content.figures import book, hand_series, line_figures, observed, snapshots, year_ends
from content.ledger import (
    account_health,
    account_outages,
    alarms,
    deliveries,
    exchanges,
    friend_invitations,
    posts,
    presence,
    read_receipts,
    retention,
    self_tests,
    suspensions,
)
from content.notices import (
    chat_menu,
    displays,
    faq,
    kept_forms,
    maintenance,
    notices,
    pictures,
    records,
    shelters,
    submissions,
    trials,
)
from content.register import (
    bounces,
    friend_list,
    importing,
    inbound_events,
    invitations,
    mail_requests,
    posting_accounts,
    subscribers,
    town_groups,
    trial_addresses,
    trial_requests,
)
from content.register.address_book import any_sealed_address
from content.staff import (
    audit,
    audit_chain,
    challenges,
    codes,
    machine_requests,
    machines,
    members,
    monthly_reports,
    notes,
    passkeys,
    rights,
    second_factor,
    sessions,
)

# Importing them puts their tables into `metadata`.

TABLE_MODULES = (
    account_health,
    account_outages,
    alarms,
    audit,
    audit_chain,
    book,
    bounces,
    challenges,
    chat_menu,
    codes,
    deliveries,
    displays,
    exchanges,
    faq,
    friend_invitations,
    friend_list,
    hand_series,
    importing,
    inbound_events,
    invitations,
    kept_forms,
    line_figures,
    machine_requests,
    machines,
    mail_requests,
    maintenance,
    members,
    monthly_reports,
    notes,
    notices,
    observed,
    passkeys,
    pictures,
    posting_accounts,
    posts,
    presence,
    read_receipts,
    records,
    retention,
    rights,
    second_factor,
    secret_keys,
    self_tests,
    sessions,
    shelters,
    snapshots,
    submissions,
    subscribers,
    suspensions,
    town_groups,
    trial_addresses,
    trial_requests,
    trials,
    year_ends,
)
MIGRATIONS = Path(__file__).parent / "database" / "migrations"


class SchemaMismatch(Exception):
    """The database was written by another version of the code; the message says what to do."""


async def upgrade(
    database: Database,
    revision: str = "head",
    *,
    then: Callable[[AsyncConnection], Awaitable[object]] | None = None,
) -> None:
    """Run what is missing, and `then` with it, in one transaction.

    Raises SchemaMismatch when the database is newer, and what `then` raises.
    """
    async with database.write() as connection:
        await connection.run_sync(_refuse_newer)
        await connection.run_sync(_run, "upgrade", revision)
        if then is not None:
            await then(connection)


async def downgrade(database: Database, revision: str) -> None:
    """Raises SchemaMismatch where SQLite cannot go back: it makes some tables anew, and rows point to them."""
    try:
        async with database.write() as connection:
            await connection.run_sync(_run, "downgrade", revision)
    except IntegrityError as error:
        if not database.is_sqlite:
            raise
        raise SchemaMismatch(
            f"a SQLite database with notices in it cannot go back to version {revision}, nothing was changed: "
            "bring back the copy from before the update with `kairanban restore FILE`, and the program of then"
        ) from error


async def is_empty(database: Database) -> bool:
    """Whether no key is needed for what is in it: nothing yet, or tables that no town has been given."""
    async with database.read() as connection:
        if await connection.run_sync(_revision) is None:
            return True
        if await any_sealed_address(connection) is not None:
            return False
        tables = await connection.run_sync(lambda it: inspect(it).get_table_names())
        found = await identity.read(connection) if identity.database_identity.name in tables else None
    return found is None or not found.town


async def require_current(database: Database) -> None:
    """Raises SchemaMismatch unless the database is exactly at this code's revision."""
    async with database.read() as connection:
        await connection.run_sync(_refuse_newer)
        found = await connection.run_sync(_revision)
    if found is None:
        raise SchemaMismatch("the database is empty; run `kairanban init`")
    if found != _head():
        raise SchemaMismatch(
            f"the database is at version {found}, this program needs {_head()}: stop every kairanban process, "
            "make a backup, then run `kairanban init`, which brings it up to date"
        )


def _refuse_newer(connection: Connection) -> None:
    found = _revision(connection)
    if found is not None and found not in _revisions():
        raise SchemaMismatch(
            f"the database is at version {found}, this program knows versions up to {_head()}: "
            "install the newer kairanban on this machine too"
        )


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _head() -> str | None:
    return _revisions()[-1]


def _revisions() -> list[str]:
    # By the names of the files, which bear their numbers: importing Alembic takes a third of a second.
    return sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))


def _run(connection: Connection, direction: str, revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    getattr(command, direction)(config, revision)
