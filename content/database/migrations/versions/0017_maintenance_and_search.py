"""Maintenance, what a person released, and words of notices as they are searched"""

from __future__ import annotations

import json
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "maintenance",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("begun_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_maintenance_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance")),
    )
    op.add_column("trigger", sa.Column("released_at", sa.BigInteger(), nullable=True))
    op.add_column("notice_version", sa.Column("searched", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "account_quota",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_account_quota")),
    )
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, texts FROM notice_version")).all()
    for number, texts in rows:
        words = "\n".join(part for item in json.loads(texts).values() for part in item.values())
        connection.execute(
            sa.text("UPDATE notice_version SET searched = :words WHERE id = :number"),
            {"words": unicodedata.normalize("NFKC", words).casefold(), "number": number},
        )


def downgrade() -> None:
    op.drop_table("account_quota")
    op.drop_column("notice_version", "searched")
    op.drop_column("trigger", "released_at")
    op.drop_table("maintenance")
