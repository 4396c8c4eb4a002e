"""The trail is chained, and source addresses stand where they can be forgotten"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Existing entries are linked by the service itself: the key is no business of the database."""
    op.create_table(
        "audit_source",
        sa.Column("entry_id", ID, autoincrement=False, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_source_entry_id_audit_entry")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_source")),
    )
    op.create_index(op.f("ix_audit_source_at"), "audit_source", ["at"])
    op.create_table(
        "audit_link",
        sa.Column("number", ID, autoincrement=False, nullable=False),
        sa.Column("entry_id", ID, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_link_entry_id_audit_entry")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_link_entry_id")),
    )
    _forbid_changes()


def downgrade() -> None:
    op.drop_table("audit_link")
    op.drop_table("audit_source")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_link_append_only()")


def _forbid_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_link_no_{verb.lower()} BEFORE {verb} ON audit_link "
                "BEGIN SELECT RAISE(ABORT, 'audit_link is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_link_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'audit_link is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_link_append_only BEFORE UPDATE OR DELETE ON audit_link "
        "FOR EACH ROW EXECUTE FUNCTION audit_link_append_only()"
    )
