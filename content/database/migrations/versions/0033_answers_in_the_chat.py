"""Answers in the chat: questions often asked, evacuation sites and whether they are open"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None

KINDS_BEFORE = "kind IN ('segment', 'template', 'calendar')"
KINDS = "kind IN ('segment', 'template', 'calendar', 'faq', 'shelter')"


def upgrade() -> None:
    _check_kinds(KINDS)
    op.create_table(
        "faq_asked",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_faq_asked")),
    )
    op.create_table(
        "shelter_opening",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('closed', 'open', 'full')", name=op.f("ck_shelter_opening_state")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_shelter_opening")),
    )


def downgrade() -> None:
    op.drop_table("shelter_opening")
    op.drop_table("faq_asked")
    op.execute("DELETE FROM town_record WHERE kind IN ('faq', 'shelter')")
    _check_kinds(KINDS_BEFORE)


def _check_kinds(condition: str) -> None:
    with op.batch_alter_table("town_record") as table:
        table.drop_constraint(op.f("ck_town_record_kind"), type_="check")
        table.create_check_constraint(op.f("ck_town_record_kind"), condition)
