"""What SQLite's planner has to be told, since it keeps no statistics. PostgreSQL's finds its own way."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Scanned(FunctionElement[str]):
    """A column that is compared row by row, where SQLite would search an index once for every value."""

    type = Text()
    inherit_cache = True


@compiles(Scanned)
def _as_it_is(element: Scanned, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(Scanned, "sqlite")
def _kept_from_indexes(element: Scanned, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"
