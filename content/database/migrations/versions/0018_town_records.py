"""Town records, kept forms, and the rules with which a notice fired"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "town_record",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('segment', 'template', 'calendar')", name=op.f("ck_town_record_kind")),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_town_record")),
    )
    op.create_table(
        "kept_form",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("notice_id", ID, nullable=True),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_kept_form")),
    )
    op.create_index(op.f("ix_kept_form_staff_id_kept_at"), "kept_form", ["staff_id", "kept_at"])
    op.add_column("notice", sa.Column("target_rules", sa.Text(), nullable=True))
    op.add_column("notice", sa.Column("calendar", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    # One statement for each: SQLite cannot write anew a table that others refer to.
    op.execute("ALTER TABLE notice DROP COLUMN calendar")
    op.execute("ALTER TABLE notice DROP COLUMN target_rules")
    op.drop_index(op.f("ix_kept_form_staff_id_kept_at"), "kept_form")
    op.drop_table("kept_form")
    op.drop_table("town_record")
