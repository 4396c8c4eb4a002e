"""Notices that are closed to the public, and a column that tells the occurrences of a series apart"""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# The form key under which an occurrence stood before it had a column of its own.
KEY = re.compile(r"series \d+ at (\d+)")


def upgrade() -> None:
    op.add_column("notice", sa.Column("closed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("notice", sa.Column("occurs_at", sa.BigInteger(), nullable=True))
    op.execute(sa.text("UPDATE notice SET closed = :yes WHERE target_kind = 'group'").bindparams(yes=True))
    connection = op.get_bind()
    occurrences = connection.execute(
        sa.text("SELECT id, submission_key FROM notice WHERE series IS NOT NULL")
    ).all()
    for notice_id, key in occurrences:
        found = KEY.fullmatch(key)
        if found:
            connection.execute(
                sa.text("UPDATE notice SET occurs_at = :at WHERE id = :id"),
                {"at": int(found[1]), "id": notice_id},
            )
    op.create_index("uq_notice_series_occurs_at", "notice", ["series", "occurs_at"], unique=True)


def downgrade() -> None:
    op.execute(
        "UPDATE notice SET submission_key = 'series ' || series || ' at ' || occurs_at"
        " WHERE occurs_at IS NOT NULL"
    )
    op.drop_index("uq_notice_series_occurs_at", "notice")
    # One statement for each: SQLite cannot write anew a table that others refer to.
    op.execute("ALTER TABLE notice DROP COLUMN occurs_at")
    op.execute("ALTER TABLE notice DROP COLUMN closed")
