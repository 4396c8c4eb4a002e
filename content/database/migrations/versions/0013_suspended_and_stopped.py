"""A delivery's suspension becomes a column, an account's outage a row"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("delivery", sa.Column("suspended_at", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE delivery SET suspended_at ="
        " (SELECT since FROM delivery_hold WHERE delivery_hold.delivery_id = delivery.id)"
    )
    op.create_index("ix_delivery_suspended_at", "delivery", ["suspended_at"])
    op.drop_table("delivery_hold")
    op.create_table(
        "account_outage",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_account_outage")),
    )


def downgrade() -> None:
    op.drop_table("account_outage")
    op.create_table(
        "delivery_hold",
        sa.Column("delivery_id", ID, autoincrement=False, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_hold_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery_hold")),
    )
    op.execute(
        "INSERT INTO delivery_hold SELECT id, suspended_at FROM delivery WHERE suspended_at IS NOT NULL"
    )
    op.drop_index("ix_delivery_suspended_at", "delivery")
    op.drop_column("delivery", "suspended_at")
