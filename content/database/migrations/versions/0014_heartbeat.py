"""Where a database is at home, how far it has come, and whether it waits for a person"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COLUMNS = (
    ("place", sa.Text(), "", False),
    ("machine", sa.Text(), "", False),
    ("beat", sa.BigInteger(), "0", False),
    ("held_since", sa.BigInteger(), None, True),
    ("held_reason", sa.Text(), "", False),
)


def upgrade() -> None:
    for name, kind, default, nullable in COLUMNS:
        op.add_column("database_identity", sa.Column(name, kind, server_default=default, nullable=nullable))


def downgrade() -> None:
    for name, *_ in reversed(COLUMNS):
        op.drop_column("database_identity", name)
