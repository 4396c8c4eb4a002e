"""Deferred, unsubscribed, summarised: the ledger's words become those of the field"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# What the scheduler wrote for those who had left; a webhook that answered 410 has a detail.
LEFT = "reason = '{}' AND detail = ''"


def upgrade() -> None:
    _move("delivery_fold", "folded_at", "delivery_summary", "summarised_at")
    op.execute("UPDATE refusal SET reason = 'deferred' WHERE reason = 'put_off'")
    op.execute("UPDATE refusal SET reason = 'unsubscribed' WHERE " + LEFT.format("gone"))


def downgrade() -> None:
    op.execute("UPDATE refusal SET reason = 'gone' WHERE " + LEFT.format("unsubscribed"))
    op.execute("UPDATE refusal SET reason = 'put_off' WHERE reason = 'deferred'")
    _move("delivery_summary", "summarised_at", "delivery_fold", "folded_at")


def _move(old: str, old_time: str, new: str, new_time: str) -> None:
    """By new tables, so that their constraints bear the new names too."""
    op.create_table(
        new,
        sa.Column("delivery_id", ID, autoincrement=False, nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("first_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("last_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column(new_time, sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f(f"fk_{new}_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f(f"pk_{new}")),
    )
    figures = "delivery_id, accepted, refused, unknown, first_accepted_at, last_accepted_at"
    op.execute(f"INSERT INTO {new} ({figures}, {new_time}) SELECT {figures}, {old_time} FROM {old}")
    op.drop_table(old)
    op.create_table(
        f"{new}_reason",
        sa.Column("delivery_id", ID, autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f(f"fk_{new}_reason_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "reason", name=op.f(f"pk_{new}_reason")),
    )
    op.execute(f"INSERT INTO {new}_reason SELECT delivery_id, reason, number FROM {old}_reason")
    op.drop_table(f"{old}_reason")
