"""Plans, policies, indicators and evaluation sheets among the town's records"""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

KINDS_BEFORE = "kind IN ('segment', 'template', 'calendar', 'faq', 'shelter')"
KINDS = (
    "kind IN ('segment', 'template', 'calendar', 'faq', 'shelter', 'plan', 'policy', 'indicator', 'sheet')"
)


def upgrade() -> None:
    _check_kinds(KINDS)


def downgrade() -> None:
    op.execute("DELETE FROM town_record WHERE kind IN ('plan', 'policy', 'indicator', 'sheet')")
    _check_kinds(KINDS_BEFORE)


def _check_kinds(condition: str) -> None:
    with op.batch_alter_table("town_record") as table:
        table.drop_constraint(op.f("ck_town_record_kind"), type_="check")
        table.create_check_constraint(op.f("ck_town_record_kind"), condition)
