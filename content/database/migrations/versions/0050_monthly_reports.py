"""The month's counts by mail: who gets them, and what became of each"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = "state IN ('due', 'sent', 'no_mailbox', 'not_wanted', 'given_up')"


def upgrade() -> None:
    for table, columns in (
        ("monthly_reader", [sa.Column("since", sa.BigInteger(), nullable=False)]),
        (
            "monthly_mail",
            [
                sa.Column("state", sa.Text(), nullable=False),
                sa.Column("due_at", sa.BigInteger(), nullable=False),
                sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
                sa.CheckConstraint(STATES, name=op.f("ck_monthly_mail_state")),
            ],
        ),
    ):
        month = [sa.Column("month", sa.Text(), nullable=False)] if table == "monthly_mail" else []
        op.create_table(
            table,
            *month,
            sa.Column("department", sa.Text(), nullable=False),
            sa.Column("staff_id", ID, autoincrement=False, nullable=False),
            *columns,
            sa.ForeignKeyConstraint(
                ["department"], ["department.key"], name=op.f(f"fk_{table}_department_department")
            ),
            sa.ForeignKeyConstraint(
                ["staff_id"], ["staff_member.id"], name=op.f(f"fk_{table}_staff_id_staff_member")
            ),
            sa.PrimaryKeyConstraint(
                *(column.name for column in month), "department", "staff_id", name=op.f(f"pk_{table}")
            ),
        )


def downgrade() -> None:
    op.drop_table("monthly_mail")
    op.drop_table("monthly_reader")
