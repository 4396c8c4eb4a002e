"""A right of its own for plans and evaluation sheets; who may write for the whole office has it too"""

from __future__ import annotations

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

BEFORE = "'see', 'write', 'approve', 'send_urgent', 'everyone', 'open_address'"
OLD = f"permission IN ({BEFORE}, 'administer')"
NEW = f"permission IN ({BEFORE}, 'plan', 'administer')"
TABLES = ("staff_right", "machine_right")


def upgrade() -> None:
    _check(NEW)
    # So far plans were changed by whoever may write; their role stays what it is called.
    op.execute(
        "INSERT INTO staff_right (staff_id, department, permission, category) "
        "SELECT staff_id, department, 'plan', '' FROM staff_right "
        "WHERE permission = 'write' AND department = 'office' AND category = ''"
    )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DELETE FROM {table} WHERE permission = 'plan'")
    _check(OLD)


def _check(condition: str) -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(op.f(f"ck_{table}_permission"), type_="check")
            batch.create_check_constraint(op.f(f"ck_{table}_permission"), condition)
