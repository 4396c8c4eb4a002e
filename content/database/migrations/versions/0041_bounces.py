"""Mails that came back, and addresses that get none for it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KINDS = "kind IN ('hard', 'unclear', 'soft', 'complaint')"


def upgrade() -> None:
    op.create_table(
        "bounce",
        sa.Column("subscriber_id", ID, autoincrement=False, nullable=False),
        sa.Column("version_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_bounce_kind")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_bounce_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("subscriber_id", "version_id", name=op.f("pk_bounce")),
    )
    op.create_index(op.f("ix_bounce_at"), "bounce", ["at"])
    op.create_table(
        "suppression",
        sa.Column("subscriber_id", ID, autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_suppression_kind")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_suppression_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("subscriber_id", name=op.f("pk_suppression")),
    )


def downgrade() -> None:
    op.drop_table("suppression")
    op.drop_table("bounce")
