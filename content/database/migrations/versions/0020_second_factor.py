"""One-time codes, and the second factor of members"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "staff_code",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("purpose IN ('password', 'second_factor')", name=op.f("ck_staff_code_purpose")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_staff_code_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_staff_code")),
    )
    op.create_index("ix_staff_code_staff_id", "staff_code", ["staff_id"])
    op.create_table(
        "staff_totp",
        sa.Column("staff_id", ID, autoincrement=False, nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_staff_totp_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_totp")),
    )
    op.create_table(
        "staff_recovery_code",
        sa.Column("staff_id", ID, autoincrement=False, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_staff_recovery_code_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("staff_id", "code_hash", name=op.f("pk_staff_recovery_code")),
    )


def downgrade() -> None:
    op.drop_table("staff_recovery_code")
    op.drop_table("staff_totp")
    op.drop_table("staff_code")
