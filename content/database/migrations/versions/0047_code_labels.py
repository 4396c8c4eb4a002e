"""To whom an invitation code was handed, and by which code a member came"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("invitation_code", sa.Column("label", sa.Text(), server_default="", nullable=False))
    op.add_column("membership", sa.Column("code_id", ID, nullable=True))


def downgrade() -> None:
    op.drop_column("membership", "code_id")
    op.drop_column("invitation_code", "label")
