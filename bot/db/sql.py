"""The few places where the two databases are asked in different words."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from bot.db.session import Tx


def is_sqlite(tx: Tx) -> bool:
    return tx.get_bind().dialect.name == "sqlite"


async def changed(tx: Tx, statement: sa.Executable) -> int:
    """Run a statement and say how many rows it touched."""
    done = cast(
        "sa.CursorResult[Any]",
        await tx.execute(statement, execution_options={"preserve_rowcount": True, "synchronize_session": False}),
    )
    return done.rowcount


async def one_at_a_time(tx: Tx, what: str) -> None:
    """Until this transaction ends, no other one that names the same does anything. On SQLite that is always so."""
    if not is_sqlite(tx):
        await tx.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 7046033))"), {"what": what})


def insert(tx: Tx, table: Any) -> Any:
    """INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`, which both databases have."""
    return sqlite.insert(table) if is_sqlite(tx) else postgresql.insert(table)


class Unindexed(FunctionElement[Any]):
    """A column by which SQLite shall not look up: without statistics it takes any index for a good one. PostgreSQL
    knows better."""

    inherit_cache = True

    def __init__(self, column: Any) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(Unindexed)
def _as_it_is(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(Unindexed, "sqlite")
def _with_a_plus(element: Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return "+" + compiler.process(element.clauses, **options)
