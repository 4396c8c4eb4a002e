"""Figures that are entered by hand"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "hand_series",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hand_series")),
    )
    op.create_table(
        "hand_value",
        sa.Column("id", ID, nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series"], ["hand_series.key"], name=op.f("fk_hand_value_series_hand_series")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_value")),
    )
    op.create_index(op.f("ix_hand_value_series_day"), "hand_value", ["series", "day"])


def downgrade() -> None:
    op.drop_table("hand_value")
    op.drop_table("hand_series")
