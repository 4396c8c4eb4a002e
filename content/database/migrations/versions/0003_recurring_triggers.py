"""Triggers that come again and triggers that end"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "state IN ('waiting', 'fired', 'held', 'cancelled')"
AFTER = "state IN ('waiting', 'fired', 'held', 'cancelled', 'finished')"


def replace_state_check(states: str) -> None:
    with op.batch_alter_table("trigger", schema=None) as batch_op:
        # SQLite writes the table anew, and what is not named here does not come along.
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(batch_op.f("ck_trigger_state"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_trigger_state"), sa.text(states))


def upgrade() -> None:
    op.add_column(
        "notice",
        sa.Column("series", ID, sa.ForeignKey("notice.id", name=op.f("fk_notice_series_notice"))),
        # SQLite cannot write anew a table that others refer to, so there it must be one statement.
        inline_references=op.get_bind().dialect.name == "sqlite",
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_series"), ["series"], unique=False)
    with op.batch_alter_table("trigger", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rule", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("expires_at", sa.BigInteger(), nullable=True))
    replace_state_check(AFTER)


def downgrade() -> None:
    # Without their rules they would go out once more as they are.
    op.execute(
        "UPDATE notice SET state = 'cancelled' WHERE id IN"
        " (SELECT notice_id FROM trigger WHERE rule IS NOT NULL)"
    )
    op.execute("UPDATE trigger SET state = 'cancelled' WHERE rule IS NOT NULL OR state = 'finished'")
    replace_state_check(BEFORE)
    with op.batch_alter_table("trigger", schema=None) as batch_op:
        batch_op.drop_column("expires_at")
        batch_op.drop_column("rule")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_series"))
    # As one statement for the same reason; the reference goes with its column.
    op.execute("ALTER TABLE notice DROP COLUMN series")
