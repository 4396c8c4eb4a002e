"""Quiet hours, pauses, words for children, and the route of a change"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NEW_COLUMNS = (
    ("subscriber", "quiet_hours"),
    ("subscriber", "paused_until"),
    ("staged_registration", "quiet_hours"),
    ("staged_registration", "paused_until"),
    ("registration_event", "route"),
)


def upgrade() -> None:
    for table, column in NEW_COLUMNS:
        op.add_column(table, sa.Column(column, sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_subscriber_paused",
        "subscriber",
        ["account", "id"],
        sqlite_where=sa.text("paused_until <> ''"),
        postgresql_where=sa.text("paused_until <> ''"),
    )
    op.create_table(
        "child_word",
        sa.Column("subscriber_id", ID, nullable=False),
        sa.Column("birth_month", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_child_word_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "birth_month", name=op.f("pk_child_word")),
    )


def downgrade() -> None:
    op.drop_table("child_word")
    op.drop_index("ix_subscriber_paused", "subscriber")
    # One statement for each: SQLite cannot write anew a table that others refer to.
    for table, column in reversed(NEW_COLUMNS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
