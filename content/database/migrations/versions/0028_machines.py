"""Machines that may post notices, and what they asked for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "machine",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("networks", sa.Text(), server_default="", nullable=False),
        sa.Column("per_hour", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department"], ["department.key"], name=op.f("fk_machine_department_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_machine")),
        sa.UniqueConstraint("name", name=op.f("uq_machine_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_machine_token_hash")),
    )
    op.create_table(
        "machine_right",
        sa.Column("machine_id", ID, autoincrement=False, nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "permission IN ('see', 'write', 'approve', 'send_urgent', 'everyone', 'open_address', 'administer')",
            name=op.f("ck_machine_right_permission"),
        ),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machine.id"], name=op.f("fk_machine_right_machine_id_machine")
        ),
        sa.PrimaryKeyConstraint("machine_id", "permission", "category", name=op.f("pk_machine_right")),
    )
    op.create_table(
        "machine_request",
        sa.Column("machine_id", ID, autoincrement=False, nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("notice_id", ID, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machine.id"], name=op.f("fk_machine_request_machine_id_machine")
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_machine_request_notice_id_notice")
        ),
        sa.PrimaryKeyConstraint("machine_id", "key_hash", name=op.f("pk_machine_request")),
    )
    op.create_index("ix_machine_request_machine_id_at", "machine_request", ["machine_id", "at"])


def downgrade() -> None:
    op.drop_table("machine_request")
    op.drop_table("machine_right")
    op.drop_table("machine")
