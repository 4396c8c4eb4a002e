"""Trials to addresses of staff, and self-tests with their proofs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_addresses()
    op.create_table(
        "trial",
        sa.Column("notice_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("staff_id", ID, nullable=True),
        sa.Column("version_id", ID, nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('oneself', 'seeds')", name=op.f("ck_trial_kind")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_trial_notice_id_notice")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_trial_staff_id_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["notice_version.id"], name=op.f("fk_trial_version_id_notice_version")
        ),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_trial")),
    )
    op.create_index("ix_trial_staff_id", "trial", ["staff_id"])
    op.create_index("ix_trial_version_id", "trial", ["version_id"])
    op.create_table(
        "self_test",
        sa.Column("id", ID, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("begun_by", sa.Text(), nullable=False),
        sa.Column("notice_id", ID, nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_self_test_notice_id_notice")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_self_test")),
        sa.UniqueConstraint("due_at", name=op.f("uq_self_test_due_at")),
    )
    op.create_table(
        "self_test_account",
        sa.Column("self_test_id", ID, autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), server_default="0", nullable=False)
            for name in ("planned", "accepted", "refused", "unknown")
        ),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["self_test_id"], ["self_test.id"], name=op.f("fk_self_test_account_self_test_id_self_test")
        ),
        sa.PrimaryKeyConstraint("self_test_id", "account", name=op.f("pk_self_test_account")),
    )


def downgrade() -> None:
    for table in ("self_test_account", "self_test", "trial", "trial_request", "trial_address"):
        op.drop_table(table)


def _make_addresses() -> None:
    op.create_table(
        "trial_address",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("seed_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["subscriber.id"], name=op.f("fk_trial_address_id_subscriber")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_trial_address_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_address")),
        sa.UniqueConstraint(
            "staff_id", "account", "lookup", name=op.f("uq_trial_address_staff_id_account_lookup")
        ),
    )
    op.create_table(
        "trial_request",
        sa.Column("code_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("staff_id", ID, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_trial_request_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_trial_request")),
    )
    op.create_index("ix_trial_request_staff_id_asked_at", "trial_request", ["staff_id", "asked_at"])
