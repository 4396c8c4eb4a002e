"""Requests by mail address that nothing proves yet"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "mail_request",
        sa.Column("id", ID, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("salt", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("purpose IN ('join', 'settings')", name=op.f("ck_mail_request_purpose")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_request")),
    )
    op.create_index(
        op.f("ix_mail_request_account_lookup_asked_at"), "mail_request", ["account", "lookup", "asked_at"]
    )
    op.create_index(op.f("ix_mail_request_asked_at"), "mail_request", ["asked_at"])
    op.create_index(
        "ix_mail_request_due",
        "mail_request",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("mail_request")
