"""The database room: engines and transactions, group commit, wake-ups, migrations."""

from content.database.dialects import (
    all_rows,
    among,
    as_list,
    as_one_row,
    hexadecimal,
    insert_many,
    insert_unless_known,
    only_one,
    refresh_statistics,
)
from content.database.engine import Database, UnknownDatabase
from content.database.errors import is_infrastructure
from content.database.one_hop import as_step
from content.database.tables import Id, metadata, one_of

__all__ = [
    "Database",
    "Id",
    "UnknownDatabase",
    "all_rows",
    "among",
    "as_list",
    "as_one_row",
    "as_step",
    "hexadecimal",
    "insert_many",
    "insert_unless_known",
    "is_infrastructure",
    "metadata",
    "one_of",
    "only_one",
    "refresh_statistics",
]
