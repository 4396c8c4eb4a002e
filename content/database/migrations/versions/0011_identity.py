"""One database, one identity; registrations and notices bear a random number of their own"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from content.database.identity import new_identity, new_public_id

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "database_identity",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), server_default="", nullable=False),
        sa.Column("key_check", sa.LargeBinary(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_database_identity_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_database_identity")),
    )
    op.bulk_insert(table, [{"id": 1, "identity": new_identity()}])
    op.add_column("subscriber", sa.Column("salt", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(f"UPDATE subscriber SET salt = {_random_number()}")
    op.add_column("notice", sa.Column("public_id", sa.Text(), server_default="", nullable=False))
    _name_notices()
    op.create_index(op.f("ix_notice_public_id"), "notice", ["public_id"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_notice_public_id"), table_name="notice")
    op.drop_column("notice", "public_id")
    op.drop_column("subscriber", "salt")
    op.drop_table("database_identity")


def _random_number() -> str:
    if op.get_bind().dialect.name == "sqlite":
        return "random() & 9223372036854775807"
    # gen_random_uuid is PostgreSQL's own good source; 60 of these 64 bits are random.
    digits = "translate(substr(gen_random_uuid()::text, 1, 18), '-', '')"
    return f"('x' || {digits})::bit(64)::bigint & 9223372036854775807"


def _name_notices() -> None:
    notice = sa.table("notice", sa.column("id", sa.BigInteger()), sa.column("public_id", sa.Text()))
    connection = op.get_bind()
    for number in connection.scalars(sa.select(notice.c.id)).all():
        connection.execute(sa.update(notice).where(notice.c.id == number).values(public_id=new_public_id()))
