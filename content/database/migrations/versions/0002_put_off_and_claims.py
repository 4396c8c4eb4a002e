"""Recipients put off, sending until a time, and an index of what is open alone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("state IN ('ready', 'unknown')")


def upgrade() -> None:
    op.add_column("delivery", sa.Column("send_until", sa.BigInteger(), nullable=True))
    op.add_column("batch", sa.Column("origin", ID, nullable=True))
    op.drop_index("ix_batch_account_lane_state_attempt_id", table_name="batch")
    op.create_index("ix_batch_origin", "batch", ["origin"])
    op.create_index(
        "ix_batch_open",
        "batch",
        ["account", "lane", "attempt", "id"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_index("ix_batch_open", table_name="batch")
    op.drop_index("ix_batch_origin", table_name="batch")
    op.create_index(
        "ix_batch_account_lane_state_attempt_id", "batch", ["account", "lane", "state", "attempt", "id"]
    )
    with op.batch_alter_table("batch") as batch_op:
        batch_op.drop_column("origin")
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.drop_column("send_until")
