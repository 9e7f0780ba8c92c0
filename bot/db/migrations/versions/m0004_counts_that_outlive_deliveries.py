"""Counts that outlive their deliveries; on PostgreSQL, deliveries in partitions of a month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
RUNS = (
    ("run_to_roll_up", "finished_at", "rolled_up_at IS NULL"),
    ("run_watched", "id", "progress_contact_id IS NOT NULL AND reported_at IS NULL"),
    ("run_by_progress_contact_id", "progress_contact_id", "progress_contact_id IS NOT NULL"),
)
"""Runs are kept for ever: whoever looks for a few of them finds them without reading all."""


def upgrade() -> None:
    op.create_table(
        "rollup",
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "unit_id", "channel", "state", "reason", name=op.f("rollup_pkey")),
        sqlite_with_rowid=False,
    )
    for name, column, condition in RUNS:
        where = sa.text(condition)
        op.create_index(name, "run", [column], sqlite_where=where, postgresql_where=where)
    if _is_postgres():
        _divide()


def downgrade() -> None:
    if _is_postgres():
        _unite()
    for name, *_ in RUNS:
        op.drop_index(name, "run")
    op.drop_table("rollup")


def _is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _divide() -> None:
    """What is there becomes the first partition as it stands: no row is moved or read."""
    for statement in (
        "ALTER TABLE delivery RENAME TO delivery_0000_00",
        "ALTER INDEX delivery_pkey RENAME TO delivery_0000_00_pkey",
        "ALTER TABLE delivery_0000_00 SET (fillfactor = 35)",
        "CREATE TABLE delivery (LIKE delivery_0000_00 INCLUDING DEFAULTS) PARTITION BY RANGE (run_id)",
        "ALTER TABLE delivery ADD CONSTRAINT delivery_pkey PRIMARY KEY (run_id, person_id)",
        "ALTER TABLE delivery ATTACH PARTITION delivery_0000_00 FOR VALUES FROM (MINVALUE) TO (MAXVALUE)",
    ):
        op.execute(statement)


def _unite() -> None:
    """One table of all partitions: every row is copied."""
    for statement in (
        "ALTER TABLE delivery RENAME TO delivery_divided",
        "ALTER INDEX delivery_pkey RENAME TO delivery_divided_pkey",
        "CREATE TABLE delivery (LIKE delivery_divided INCLUDING DEFAULTS)",
        "INSERT INTO delivery SELECT * FROM delivery_divided",
        "ALTER TABLE delivery ADD CONSTRAINT delivery_pkey PRIMARY KEY (run_id, person_id)",
        "DROP TABLE delivery_divided",
    ):
        op.execute(statement)
