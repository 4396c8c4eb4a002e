"""Departments, and rights in place of roles: everybody may do what they could before"""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OFFICE = "office"
PERMISSIONS = ("see", "write", "approve", "send_urgent", "everyone", "open_address", "administer")
ROLES = {
    "viewer": ("see",),
    "editor": ("see", "write", "approve", "send_urgent", "everyone"),
    "administrator": ("see", "write", "approve", "send_urgent", "everyone", "administer"),
}
ROLE = "role IN ('viewer', 'editor', 'administrator')"


def upgrade() -> None:
    connection = op.get_bind()
    roles = connection.execute(sa.text("SELECT id, role FROM staff_member")).all()
    # Before the rights refer to the table: SQLite makes it anew.
    with op.batch_alter_table("staff_member") as batch_op:
        batch_op.drop_constraint(op.f("ck_staff_member_role"), type_="check")
        batch_op.drop_column("role")
    department = op.create_table(
        "department",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("all_categories", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_department")),
        sa.UniqueConstraint("name", name=op.f("uq_department_name")),
    )
    op.create_table(
        "department_category",
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department"], ["department.key"], name=op.f("fk_department_category_department_department")
        ),
        sa.PrimaryKeyConstraint("department", "category", name=op.f("pk_department_category")),
    )
    right = op.create_table(
        "staff_right",
        sa.Column("staff_id", ID, autoincrement=False, nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            f"permission IN ({', '.join(map(repr, PERMISSIONS))})", name=op.f("ck_staff_right_permission")
        ),
        sa.ForeignKeyConstraint(
            ["department"], ["department.key"], name=op.f("fk_staff_right_department_department")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_staff_right_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint(
            "staff_id", "department", "permission", "category", name=op.f("pk_staff_right")
        ),
    )
    op.bulk_insert(
        department,
        [{"key": OFFICE, "name": "全庁", "all_categories": True, "created_at": int(time.time() * 1000)}],
    )
    rights = [
        {"staff_id": staff_id, "department": OFFICE, "permission": permission}
        for staff_id, role in roles
        for permission in ROLES[role]
    ]
    if rights:
        op.bulk_insert(right, rights)


def downgrade() -> None:
    connection = op.get_bind()
    given: dict[int, set[str]] = {}
    for staff_id, permission in connection.execute(
        sa.text("SELECT staff_id, permission FROM staff_right WHERE category = ''")
    ):
        given.setdefault(staff_id, set()).add(permission)
    op.drop_table("staff_right")
    op.drop_table("department_category")
    op.drop_table("department")
    # Rights of one's own have no role: the largest one that gives nobody more than before.
    op.add_column("staff_member", sa.Column("role", sa.Text(), server_default="viewer", nullable=False))
    for role in ("editor", "administrator"):
        for staff_id in (key for key, held in given.items() if held >= set(ROLES[role])):
            connection.execute(
                sa.text("UPDATE staff_member SET role = :role WHERE id = :id"), {"role": role, "id": staff_id}
            )
    with op.batch_alter_table("staff_member") as batch_op:
        batch_op.alter_column("role", server_default=None)
        batch_op.create_check_constraint(op.f("ck_staff_member_role"), ROLE)
