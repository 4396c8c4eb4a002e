"""An import knows the numbers of its registrations before it seals their addresses"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BEFORE = "state IN ('staging', 'decided', 'applied')"
NOW = "state IN ('staging', 'decided', 'applied', 'given_up')"
OTHERS = "account, lookup, sealed, language, choices, joined_at, salt"


def upgrade() -> None:
    # What nobody has decided has no numbers: it is to be imported again. What was decided comes in still;
    # SQLite leaves that when it was killed while the rows moved into the register.
    _set_decided_aside()
    op.execute("DELETE FROM registration_import WHERE state = 'staging'")
    for name in ("first_id", "last_id"):
        op.add_column(
            "registration_import", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
        )
    _states(NOW)
    _create_stage(nullable=False)
    op.execute(
        f"INSERT INTO staged_registration (import_id, number, subscriber_id, {OTHERS}) SELECT import_id, number,"
        f" (SELECT coalesce(max(id), 0) FROM subscriber) + number + 1, {OTHERS} FROM staged_aside"
    )
    op.drop_table("staged_aside")
    for name, end in (("first_id", "min"), ("last_id", "max")):
        op.execute(
            f"UPDATE registration_import SET {name} = coalesce((SELECT {end}(subscriber_id)"
            f" FROM staged_registration WHERE import_id = registration_import.id), 0) WHERE state = 'decided'"
        )


def downgrade() -> None:
    _set_decided_aside()
    op.execute("DELETE FROM registration_import WHERE state IN ('staging', 'given_up')")
    _states(BEFORE)
    with op.batch_alter_table("registration_import") as table:
        table.drop_column("last_id")
        table.drop_column("first_id")
    _create_stage(nullable=True)
    op.execute(
        f"INSERT INTO staged_registration (import_id, number, {OTHERS})"
        f" SELECT import_id, number, {OTHERS} FROM staged_aside"
    )
    op.drop_table("staged_aside")


def _set_decided_aside() -> None:
    op.execute(
        "CREATE TABLE staged_aside AS SELECT staged_registration.* FROM staged_registration"
        " JOIN registration_import ON registration_import.id = import_id WHERE state = 'decided'"
    )
    op.drop_table("staged_registration")


def _states(condition: str) -> None:
    with op.batch_alter_table("registration_import") as table:
        table.drop_constraint(op.f("ck_registration_import_state"), type_="check")
        table.create_check_constraint(op.f("ck_registration_import_state"), condition)


def _create_stage(*, nullable: bool) -> None:
    op.create_table(
        "staged_registration",
        sa.Column("import_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=nullable),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("lookup", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["registration_import.id"],
            name=op.f("fk_staged_registration_import_id_registration_import"),
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_staged_registration")),
    )
