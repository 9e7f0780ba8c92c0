"""The pace of each account and chat, for all processes together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_postgres = op.get_bind().dialect.name == "postgresql"
    unlogged = ["UNLOGGED"] if is_postgres else []
    op.create_table(
        "pace",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("free_at", sa.Double(), nullable=False),
        sa.Column("factor", sa.Double(), nullable=False),
        sa.Column("factor_at", sa.Double(), nullable=False),
        sa.Column("patience", sa.Double(), nullable=False),
        sa.Column("halted_until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pace_pkey")),
        prefixes=unlogged,
    )
    op.create_table(
        "chat_pace",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("free_at", sa.Double(), nullable=False),
        sa.Column("recent", sa.ARRAY(sa.Double()) if is_postgres else sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "chat", name=op.f("chat_pace_pkey")),
        prefixes=unlogged,
    )


def downgrade() -> None:
    op.drop_table("chat_pace")
    op.drop_table("pace")
