"""Alembic's entry: runs on the connection that `bot.db.migrate` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from bot.db.partitions import no_partition
from bot.db.tables import Base
from bot.db.types import Coded, Instant


def _render(kind: str, thing: Any, autogen: AutogenContext) -> str | Literal[False]:
    if kind == "type" and isinstance(thing, Instant):
        autogen.imports.add("from bot.db.types import Instant")
        return "Instant()"
    if kind == "type" and isinstance(thing, Coded):
        return "sa.SmallInteger()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_item=_render,
    render_as_batch=False,
    compare_type=True,
    include_name=no_partition,
)
with context.begin_transaction():
    context.run_migrations()
