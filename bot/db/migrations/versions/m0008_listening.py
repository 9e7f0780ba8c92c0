"""Listening: who wants a voice beside the text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("listens", sa.Boolean(), nullable=False, server_default=sa.false()))
    only = sa.text("listens")
    op.create_index("person_listening", "person", ["id"], sqlite_where=only, postgresql_where=only)


def downgrade() -> None:
    op.drop_index("person_listening", "person")
    op.drop_column("person", "listens")
