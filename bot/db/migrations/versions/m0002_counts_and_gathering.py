"""Counts of each run beside its deliveries, runs that are gathered little by little, replies with an owner."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.db.types import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "account_id", "state", "reason", name=op.f("tally_pkey")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO tally (run_id, account_id, state, reason, n) "
        "SELECT run_id, 0, state, coalesce(reason, -1), count(*) FROM delivery GROUP BY run_id, state, reason"
    )
    op.add_column("run", sa.Column("gather_after", BIG, nullable=True))
    op.add_column("run", sa.Column("gather_until", BIG, nullable=True))
    op.add_column("run", sa.Column("rolled_up_at", Instant(), nullable=True))
    op.create_index(
        "run_gathering",
        "run",
        ["id"],
        sqlite_where=sa.text("gather_after IS NOT NULL"),
        postgresql_where=sa.text("gather_after IS NOT NULL"),
    )
    op.add_column("reply", sa.Column("owner", sa.Text(), nullable=True))
    op.add_column("reply", sa.Column("lease_until", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("reply", "lease_until")
    op.drop_column("reply", "owner")
    op.drop_index("run_gathering", "run")
    op.drop_column("run", "rolled_up_at")
    op.drop_column("run", "gather_until")
    op.drop_column("run", "gather_after")
    op.drop_table("tally")
