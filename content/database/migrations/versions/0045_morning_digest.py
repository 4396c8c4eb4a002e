"""The pace that a resident chose, and batches that carry the notices of a day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW_COLUMNS = (
    ("subscriber", "pace", "at_once"),
    ("staged_registration", "pace", "at_once"),
    ("batch", "carries", ""),
)


def upgrade() -> None:
    for table, column, default in NEW_COLUMNS:
        op.add_column(table, sa.Column(column, sa.Text(), server_default=default, nullable=False))
    op.add_column("batch", sa.Column("carried_by", ID, nullable=True))
    op.create_index(op.f("ix_batch_carried_by"), "batch", ["carried_by"])


def downgrade() -> None:
    op.drop_index(op.f("ix_batch_carried_by"), "batch")
    # One statement for each: SQLite cannot write anew a table that others refer to.
    for table, column in (("batch", "carried_by"), *((table, column) for table, column, _ in NEW_COLUMNS)):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
