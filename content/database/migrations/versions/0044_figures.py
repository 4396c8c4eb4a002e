"""Events note what was chosen; a book of movements, daily snapshots of every figure, frozen year-ends, LINE's figures"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DAY = 24 * 60 * 60 * 1000
JAPAN_AHEAD = 9 * 60 * 60 * 1000
APPEND_ONLY = ("year_end", "year_end_figure", "year_end_remark")


def upgrade() -> None:
    op.add_column("registration_event", sa.Column("choices", sa.Text(), server_default="", nullable=False))
    _note_choices()
    for column in (
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("changed_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("events", sa.Text(), server_default="[]", nullable=False),
    ):
        op.add_column("staged_registration", column)
    op.execute(
        "UPDATE staged_registration SET changed_at = joined_at,"
        ' events = \'[["joined",\' || joined_at || \',"import","import",""]]\''
    )
    _create_book()
    _create_snapshots()
    _create_year_ends()
    op.create_table(
        "line_figure",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("followers", sa.Integer(), nullable=True),
        sa.Column("targeted_reaches", sa.Integer(), nullable=True),
        sa.Column("blocks", sa.Integer(), nullable=True),
        sa.Column("fetched_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", "day", name=op.f("pk_line_figure")),
    )
    _move_counts()


def downgrade() -> None:
    op.create_table(
        "daily_count",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("subscribers", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "account", "category", name=op.f("pk_daily_count")),
    )
    op.execute(
        "INSERT INTO daily_count (day, account, category, subscribers, taken_at)"
        " SELECT daily_figure.day, account, value, registrations, taken_at FROM daily_figure"
        " JOIN daily_snapshot ON daily_snapshot.day = daily_figure.day WHERE measure IN ('total', 'category')"
    )
    for table in (
        "line_figure",
        "year_end_remark",
        "year_end_figure",
        "year_end",
        "service_day",
        "daily_figure",
        "daily_snapshot",
        "movement_book",
        "daily_movement",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_append_only()")
    for column in ("events", "changed_at", "state"):
        op.execute(f"ALTER TABLE staged_registration DROP COLUMN {column}")
    op.execute("ALTER TABLE registration_event DROP COLUMN choices")


def _note_choices() -> None:
    """What the active have chosen is known now and not of before: an event of today says so."""
    joined = {"sqlite": "group_concat", "postgresql": "string_agg"}[op.get_bind().dialect.name]
    op.get_bind().execute(
        sa.text(
            "INSERT INTO registration_event (subscriber_id, account, kind, reason, at, route, choices)"
            " SELECT id, account, 'changed', 'noted', :now, 'service', 'language:' || language || coalesce("
            f"(SELECT {joined}(' ' || kind || ':' || value, '') FROM preference"
            " WHERE subscriber_id = subscriber.id AND kind <> 'birth_month'), '')"
            " FROM subscriber WHERE state = 'active' ORDER BY id"
        ),
        {"now": int(time.time() * 1000)},
    )


def _create_book() -> None:
    op.create_table(
        "daily_movement",
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "measure", "day", "account", "value", "kind", "reason", name=op.f("pk_daily_movement")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "movement_book",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("up_to_event", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movement_book")),
    )


def _create_snapshots() -> None:
    op.create_table(
        "daily_snapshot",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("up_to_event", sa.BigInteger(), nullable=False),
        sa.Column("different", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_daily_snapshot")),
    )
    op.create_table(
        "daily_figure",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("registrations", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "account", "measure", "value", name=op.f("pk_daily_figure")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "service_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_service_day")),
    )


def _create_year_ends() -> None:
    op.create_table(
        "year_end",
        sa.Column("fiscal_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("observed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("fiscal_year", name=op.f("pk_year_end")),
    )
    op.create_table(
        "year_end_figure",
        sa.Column("fiscal_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("registrations", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fiscal_year"], ["year_end.fiscal_year"], name=op.f("fk_year_end_figure_fiscal_year_year_end")
        ),
        sa.PrimaryKeyConstraint(
            "fiscal_year", "account", "measure", "value", name=op.f("pk_year_end_figure")
        ),
    )
    op.create_table(
        "year_end_remark",
        sa.Column("id", ID, nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fiscal_year"], ["year_end.fiscal_year"], name=op.f("fk_year_end_remark_fiscal_year_year_end")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_year_end_remark")),
    )
    for table in APPEND_ONLY:
        _forbid_changes(table)


def _forbid_changes(table: str) -> None:
    """The database itself refuses to rewrite what was frozen, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_append_only()"
    )


def _move_counts() -> None:
    """A day whose count was written soon after it is one on which the service ran."""
    bind = op.get_bind()
    days = bind.execute(
        sa.text("SELECT day, min(taken_at), max(taken_at) FROM daily_count GROUP BY day").columns(
            sa.column("day", sa.Date)
        )
    ).all()
    for day, first_at, last_at in days:
        bind.execute(
            sa.text(
                "INSERT INTO daily_snapshot (day, taken_at, up_to_event, different) VALUES (:day, :at, 0, 0)"
            ).bindparams(sa.bindparam("day", type_=sa.Date)),
            {"day": day, "at": last_at},
        )
        end = _end_of(day)
        if first_at < end + DAY:
            bind.execute(
                sa.text(
                    "INSERT INTO service_day (day, first_at, last_at) VALUES (:day, :first, :last)"
                ).bindparams(sa.bindparam("day", type_=sa.Date)),
                {"day": day, "first": end - DAY, "last": end - 1},
            )
    op.execute(
        "INSERT INTO daily_figure (day, account, measure, value, registrations) SELECT day, account,"
        " CASE WHEN category = '' THEN 'total' ELSE 'category' END, category, subscribers FROM daily_count"
    )
    op.drop_table("daily_count")


def _end_of(day: date) -> int:
    """The first millisecond after a day in Japan."""
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000) + DAY - JAPAN_AHEAD
