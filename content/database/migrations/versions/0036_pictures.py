"""Pictures, and what a notice carries beside its words"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "picture",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_picture")),
    )
    op.add_column("notice_version", sa.Column("attached", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("notice_version", "attached")
    op.drop_table("picture")
