"""Questions for people: what the bot could not answer, who is asked, what they said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.db.types import Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FEW = (
    ("question_due", "due_at"),
    ("question_by_contact_id", "contact_id"),
    ("question_by_answered_by_id", "answered_by_id"),
)


def upgrade() -> None:
    op.create_table(
        "asked",
        sa.Column("contact_id", BIG, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("asked_pkey")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("asked_contact_id_fkey"), ondelete="CASCADE"),
    )
    _questions()
    _entries()


def _questions() -> None:
    op.create_table(
        "question",
        sa.Column("id", BIG, nullable=False),
        sa.Column("contact_id", BIG, nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=True),
        sa.Column("turn", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_by_id", BIG, nullable=True),
        sa.Column("answer_role", sa.SmallInteger(), nullable=True),
        sa.Column("answer_unit_id", sa.Integer(), nullable=True),
        sa.Column("given_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("question_pkey")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("question_contact_id_fkey"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("question_unit_id_fkey")),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["person.id"], name=op.f("question_answered_by_id_fkey"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["answer_unit_id"], ["unit.id"], name=op.f("question_answer_unit_id_fkey")),
        sqlite_autoincrement=True,
    )
    op.create_index("question_by_state", "question", ["state", "asked_at"])
    for name, column in _FEW:
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "question", [column], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "question_notice",
        sa.Column("id", BIG, nullable=False),
        sa.Column("question_id", BIG, nullable=False),
        sa.Column("contact_id", BIG, nullable=False),
        sa.Column("turn", sa.SmallInteger(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("question_notice_pkey")),
        sa.UniqueConstraint(
            "question_id", "contact_id", "turn", name=op.f("question_notice_question_id_contact_id_turn_key")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("question_notice_question_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("question_notice_contact_id_fkey"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("question_notice_by_contact_id"), "question_notice", ["contact_id"])


def _entries() -> None:
    op.create_table(
        "local_entry",
        sa.Column("id", BIG, nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("phrasings", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("author_id", BIG, nullable=True),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("local_entry_pkey")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("local_entry_unit_id_fkey")),
        *(
            sa.ForeignKeyConstraint([who], ["person.id"], name=op.f(f"local_entry_{who}_fkey"), ondelete="SET NULL")
            for who in ("author_id", "decided_by_id")
        ),
    )


def downgrade() -> None:
    for name in ("local_entry", "question_notice", "question", "asked"):
        op.drop_table(name)
