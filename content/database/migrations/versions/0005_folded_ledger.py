"""Figures of deliveries whose recipients are forgotten, deliveries that wait for their account"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "delivery_fold",
        sa.Column("delivery_id", ID, autoincrement=False, nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("first_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("last_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("folded_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_fold_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery_fold")),
    )
    op.create_table(
        "delivery_fold_reason",
        sa.Column("delivery_id", ID, autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_fold_reason_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "reason", name=op.f("pk_delivery_fold_reason")),
    )
    op.create_table(
        "delivery_hold",
        sa.Column("delivery_id", ID, autoincrement=False, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_hold_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery_hold")),
    )


def downgrade() -> None:
    op.drop_table("delivery_hold")
    op.drop_table("delivery_fold_reason")
    op.drop_table("delivery_fold")
