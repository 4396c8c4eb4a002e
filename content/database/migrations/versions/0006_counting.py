"""Preferences bear the account of their subscriber and whether it is active"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
        return
    op.add_column("preference", sa.Column("account", sa.Text(), nullable=True))
    op.add_column("preference", sa.Column("active", sa.Boolean(), nullable=True))
    op.execute(
        "UPDATE preference SET account = subscriber.account, active = subscriber.state = 'active'"
        " FROM subscriber WHERE subscriber.id = preference.subscriber_id"
    )
    op.alter_column("preference", "account", nullable=False)
    op.alter_column("preference", "active", nullable=False)


def downgrade() -> None:
    op.drop_column("preference", "active")
    op.drop_column("preference", "account")


def _rebuild() -> None:
    """SQLite takes no new column that must be filled, and a table without row numbers no batch operation."""
    op.create_table(
        "preference_filled",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("subscriber_id", ID, autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('category', 'area', 'birth_month', 'group')", name=op.f("ck_preference_kind")
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name=op.f("fk_preference_subscriber_id_subscriber")
        ),
        sa.PrimaryKeyConstraint("kind", "value", "subscriber_id", name=op.f("pk_preference")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO preference_filled (kind, value, subscriber_id, account, active)"
        " SELECT kind, value, subscriber_id, account, state = 'active'"
        " FROM preference JOIN subscriber ON subscriber.id = subscriber_id"
        " ORDER BY kind, value, subscriber_id"
    )
    op.drop_table("preference")
    op.rename_table("preference_filled", "preference")
    op.create_index("ix_preference_subscriber_id", "preference", ["subscriber_id"])
