"""Practice: how far each person is, what they answered, how far the day's questions are given out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.db.types import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "learner",
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("tip", sa.Text(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("run_id", BIG, nullable=True),
        sa.Column("asked_on", sa.Date(), nullable=True),
        sa.Column("ignored", sa.SmallInteger(), nullable=False),
        sa.Column("streak", sa.SmallInteger(), nullable=False),
        sa.Column("streak_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("learner_pkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("learner_person_id_fkey"), ondelete="CASCADE"),
    )
    op.create_table(
        "practice",
        sa.Column("person_id", BIG, nullable=False),
        sa.Column("tip", sa.Text(), nullable=False),
        sa.Column("was_right", sa.Boolean(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("wrong_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", "tip", name=op.f("practice_pkey")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("practice_person_id_fkey"), ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    due = sa.text("due_on IS NOT NULL")
    op.create_index("practice_due", "practice", ["person_id", "due_on"], sqlite_where=due, postgresql_where=due)
    op.create_index("practice_by_at", "practice", ["at"])
    op.create_table(
        "practice_round",
        sa.Column("hour", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("after", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.PrimaryKeyConstraint("hour", name=op.f("practice_round_pkey")),
    )


def downgrade() -> None:
    op.drop_table("practice_round")
    op.drop_table("practice")
    op.drop_table("learner")
