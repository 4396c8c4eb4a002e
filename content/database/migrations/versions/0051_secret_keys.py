"""Keys of the file that come and go, and keys of single purposes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

PURPOSES = "purpose IN ('sessions', 'links', 'audit', 'alerts', 'mails')"


def upgrade() -> None:
    op.create_table(
        "secret_key",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("check_value", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("in_force_at", sa.BigInteger(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_secret_key")),
    )
    op.create_table(
        "purpose_key",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("purpose", "generation", name=op.f("pk_purpose_key")),
        sa.CheckConstraint(PURPOSES, name=op.f("ck_purpose_key_purpose")),
    )
    op.add_column("sender_presence", sa.Column("held_keys", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("sender_presence", "held_keys")
    op.drop_table("purpose_key")
    op.drop_table("secret_key")
