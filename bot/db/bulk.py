"""Many rows at once, in the fastest form that each database has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from bot.db.session import Tx
from bot.db.sql import is_sqlite

if TYPE_CHECKING:
    import psycopg


async def insert(
    tx: Tx, table: Any, columns: Mapping[str, Sequence[Any]], every: Mapping[str, Any] | None = None
) -> None:
    """Insert rows that are given column by column, all of the same length. `every` is what stands in each of them.
    Columns that are not named stay empty: Python's defaults are for single rows."""
    same = every or {}
    names = [*columns, *same]
    written = [_written(tx, table, name, values) for name, values in columns.items()]
    written += [repeat(*_written(tx, table, name, [value])) for name, value in same.items()]
    rows = zip(*written, strict=False)  # what is the same in every row has no end
    await (_tuples if is_sqlite(tx) else _copy)(tx, f"{table.__tablename__} ({', '.join(names)})", rows)


def among(tx: Tx, column: sa.orm.InstrumentedAttribute[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Whether the column is one of many plain values: one parameter, so the statement is always the same."""
    if is_sqlite(tx):
        given = sa.func.json_each(orjson.dumps(values).decode()).table_valued("value")
        return column.in_(sa.select(given.c.value))
    return column == sa.any_(sa.literal(list(values), postgresql.ARRAY(column.type)))


async def _tuples(tx: Tx, into: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """One prepared statement and a list of tuples, straight to the driver."""
    places = ", ".join("?" * (into.count(",") + 1))
    connection = await tx.connection()
    statement = f"INSERT INTO {into} VALUES ({places})"  # noqa: S608  # our own names
    await connection.exec_driver_sql(statement, list(rows))


async def _copy(tx: Tx, into: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY: a fifth less work for the server than the same rows as arrays."""
    import psycopg  # with SQLite nobody waits for it

    raw = await (await tx.connection()).get_raw_connection()
    connection = cast("psycopg.AsyncConnection[Any]", raw.driver_connection)
    try:
        async with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                await copy.write_row(row)
    except psycopg.Error as error:
        raise sa.exc.DBAPIError("COPY", None, error) from error


def _written(tx: Tx, table: Any, name: str, values: Iterable[Any]) -> Iterable[Any]:
    """Values of a column as the driver takes them."""
    dialect = tx.get_bind().dialect
    kind = table.__table__.c[name].type
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    return values if process is None else map(process, values)
