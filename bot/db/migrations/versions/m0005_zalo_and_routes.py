"""What Zalo needs, and several addresses of one person: typed choices, linking, tokens, budgets, files, articles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.db.types import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = ("article", "published", "budget", "oauth_grant", "link_code", "choice")


def upgrade() -> None:
    op.add_column("contact", sa.Column("preferred", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("contact", sa.Column("muted_until", Instant(), nullable=True))
    op.add_column("contact", sa.Column("labels", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("contact", sa.Column("labelled", sa.Text(), nullable=True))
    _of_contacts()
    _of_accounts()


def _of_contacts() -> None:
    op.create_table(
        "choice",
        sa.Column("contact_id", BIG, nullable=False),
        sa.Column("options", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("choice_pkey")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("choice_contact_id_fkey"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "link_code",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("contact_id", BIG, nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("link_code_pkey")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("link_code_contact_id_fkey"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("link_code_by_contact_id"), "link_code", ["contact_id"])
    op.create_table(
        "published",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("published_pkey")),
    )
    op.create_index(op.f("published_by_expires_at"), "published", ["expires_at"])


def _of_accounts() -> None:
    op.create_table(
        "oauth_grant",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("access_token", sa.Text(), nullable=False),
        sa.Column("refresh_token", sa.Text(), nullable=False),
        sa.Column("obtained_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("lost_at", Instant(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("turn_owner", sa.Text(), nullable=True),
        sa.Column("turn_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("oauth_grant_pkey")),
    )
    op.create_table(
        "budget",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("warned", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "kind", "month", name=op.f("budget_pkey")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("budget_account_id_fkey")),
    )
    op.create_table(
        "article",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("article_pkey")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("article_account_id_fkey")),
    )


def downgrade() -> None:
    for name in _TABLES:
        op.drop_table(name)
    for column in ("labelled", "labels", "muted_until", "preferred"):
        op.drop_column("contact", column)
