"""Accounts that post: their numbers, and what stands at the services"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "posting_account",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.ForeignKeyConstraint(["id"], ["subscriber.id"], name=op.f("fk_posting_account_id_subscriber")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_posting_account")),
        sa.UniqueConstraint("id", name=op.f("uq_posting_account_id")),
    )
    op.create_table(
        "post",
        sa.Column("delivery_id", ID, autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('begun', 'out', 'marked', 'deleted', 'gone', 'left')", name=op.f("ck_post_state")
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_post_delivery_id_delivery")),
        sa.PrimaryKeyConstraint("delivery_id", "part", name=op.f("pk_post")),
    )


def downgrade() -> None:
    op.drop_table("post")
    op.drop_table("posting_account")
