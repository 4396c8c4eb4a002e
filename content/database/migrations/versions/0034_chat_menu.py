"""The menu of the chat that a person chose"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chat_menu",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=False),
        sa.Column("chosen_by", sa.Text(), nullable=False),
        sa.Column("chosen_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("chosen IN ('everyday', 'disaster')", name=op.f("ck_chat_menu_chosen")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_chat_menu")),
    )


def downgrade() -> None:
    op.drop_table("chat_menu")
