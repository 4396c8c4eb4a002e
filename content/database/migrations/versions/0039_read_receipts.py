"""Read receipts, and their number once the recipients of a delivery are forgotten"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "read_receipt",
        sa.Column("delivery_id", ID, autoincrement=False, nullable=False),
        sa.Column("subscriber_id", ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_read_receipt_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_read_receipt_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "subscriber_id", name=op.f("pk_read_receipt")),
    )
    op.add_column("delivery_summary", sa.Column("read", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("delivery_summary", "read")
    op.drop_table("read_receipt")
