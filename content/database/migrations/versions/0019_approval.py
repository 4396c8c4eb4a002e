"""Notices that wait for a second person, before or after they go out"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = "state IN ('waiting', 'returned', 'approved', 'withdrawn')"


def upgrade() -> None:
    op.create_table(
        "submission",
        sa.Column("id", ID, nullable=False),
        sa.Column("notice_id", ID, nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.Column("submitted_by", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("remark", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(STATES, name=op.f("ck_submission_state")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_submission_notice_id_notice")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["notice_version.id"], name=op.f("fk_submission_version_id_notice_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
    )
    op.create_index("ix_submission_notice_id", "submission", ["notice_id"])
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "uq_submission_waiting",
        "submission",
        ["notice_id"],
        unique=True,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "review",
        sa.Column("notice_id", ID, autoincrement=False, nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=True),
        sa.Column("remark", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_review_notice_id_notice")),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_review")),
    )
    op.create_index("ix_review_reviewed_at", "review", ["reviewed_at"])


def downgrade() -> None:
    op.drop_table("review")
    op.drop_table("submission")
