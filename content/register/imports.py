"""What is known of an import: how far it is, which ids it was given, and what of it may be seen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ColumnElement, Integer, Table, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from content.database import metadata, one_of
from content.register.states import ImportState

registration_import = Table(
    "registration_import",
    metadata,
    # Random: SQLite would give the number of one that was overtaken to the one that overtook it.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    # The ids that its registrations get; nobody else gets one in between.
    Column("first_id", BigInteger, nullable=False, server_default="0"),
    Column("last_id", BigInteger, nullable=False, server_default="0"),
    Column("staged", Integer, nullable=False, server_default="0"),
    # What became of them: new registrations, and addresses that were known.
    Column("registered", Integer, nullable=False, server_default="0"),
    Column("known", Integer, nullable=False, server_default="0"),
    CheckConstraint(one_of("state", ImportState), name="state"),
)


def has_come_in(subscriber_id: ColumnElement[int]) -> ColumnElement[bool]:
    """False for registrations of an import that is still on its way into the register.

    Every statement that reads many registrations asks for it, so that an import is seen as a whole or not
    at all, whenever its process is killed.
    """
    return _HasComeIn(subscriber_id)


class _HasComeIn(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_HasComeIn)
def _at_once(_element: _HasComeIn, _compiler: SQLCompiler, **_options: Any) -> str:
    # PostgreSQL moves an import in one transaction.
    return "true"


@compiles(_HasComeIn, "sqlite")
def _not_on_its_way(element: _HasComeIn, compiler: SQLCompiler, **options: Any) -> str:
    # One at most is on its way. NOT BETWEEN, since SQLite searches no index for it.
    moving = f"FROM registration_import WHERE state = '{ImportState.DECIDED}'"
    first, last = (
        f"(SELECT coalesce(min(first_id), 0) {moving})",
        f"(SELECT coalesce(max(last_id), -1) {moving})",
    )
    return f"{compiler.process(element.clauses, **options)} NOT BETWEEN {first} AND {last}"
