"""Comparisons with LINE's list of friends, and the invitation of those taken in from it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "friend_comparison",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        *(
            sa.Column(name, sa.Integer(), server_default="0", nullable=False)
            for name in ("friends", "added", "ended", "held_back")
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_friend_comparison")),
    )
    op.create_table(
        "friend_invitation",
        sa.Column("id", ID, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("recipients", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("retry_key", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_friend_invitation")),
    )


def downgrade() -> None:
    op.drop_table("friend_invitation")
    op.drop_table("friend_comparison")
