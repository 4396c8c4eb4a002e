"""No lock on accounts any more; when a password was set"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("staff_member", "failures")
    op.drop_column("staff_member", "locked_until")
    op.add_column(
        "staff_member", sa.Column("password_set_at", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.execute("UPDATE staff_member SET password_set_at = created_at")


def downgrade() -> None:
    op.drop_column("staff_member", "password_set_at")
    op.add_column("staff_member", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "staff_member", sa.Column("locked_until", sa.BigInteger(), server_default="0", nullable=False)
    )
