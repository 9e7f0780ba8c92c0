"""Many rows at once, in the fastest form that each database has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

import orjson
import sqlalchemy as sa

from bot.db.session import Tx
from bot.db.sql import is_sqlite

if TYPE_CHECKING:
    import psycopg

Columns = Mapping[str, Sequence[Any]]
Same = Mapping[str, Any]


async def insert(tx: Tx, table: Any, columns: Columns, same: Same | None = None) -> None:
    """Insert rows that are given column by column, all of the same length. `same` is what stands in each of them.
    Columns that are not named stay empty: Python's defaults are for single rows. Raises `IntegrityError`."""
    if not all(columns.values()):
        return
    rows = zip(*_written(tx, table, columns, same or {}), strict=False)  # what is the same has no end
    names = [*columns, *(same or {})]
    await (_tuples if is_sqlite(tx) else _copy)(tx, f"{table.__tablename__} ({', '.join(names)})", rows)


async def update(tx: Tx, table: Any, by: tuple[str, Sequence[Any]], columns: Columns, same: Same | None = None) -> None:
    """Change rows that are found by a column: each gets values of its own, and what is the `same` for all."""
    key, keys = by
    if not keys:
        return
    names = [*columns, *(same or {})]
    values = [*_written(tx, table, columns, same or {}), keys]
    if is_sqlite(tx):
        change = ", ".join(f"{name} = ?" for name in names)
        statement = f"UPDATE {table.__tablename__} SET {change} WHERE {key} = ?"  # noqa: S608  # our own names
        await (await tx.connection()).exec_driver_sql(statement, list(zip(*values, strict=False)))
        return
    rows = list(zip(*columns.values(), keys, strict=True))
    found = given(tx, {name: table.__table__.c[name] for name in (*columns, key)}, rows)
    changed = {name: found.c[name] for name in columns} | dict(same or {})
    await tx.execute(sa.update(table.__table__).where(table.__table__.c[key] == found.c[key]).values(changed))


def among(tx: Tx, column: sa.orm.InstrumentedAttribute[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Whether the column is one of many plain values: one parameter, so the statement is always the same."""
    if is_sqlite(tx):
        each = sa.func.json_each(orjson.dumps(values).decode()).table_valued("value")
        return column.in_(sa.select(each.c.value))
    return column == sa.any_(_array(column.type, values))


def given(tx: Tx, columns: Mapping[str, Any], rows: Sequence[Sequence[Any]]) -> sa.FromClause:
    """Plain values as a table to join with, in one parameter (or an array a column)."""
    if is_sqlite(tx):
        each = sa.func.json_each(orjson.dumps(rows).decode()).table_valued("value")
        cells = (sa.func.json_extract(each.c.value, f"$[{place}]").label(name) for place, name in enumerate(columns))
        return sa.select(*cells).subquery("given")
    arrays = zip(columns.values(), zip(*rows, strict=True), strict=True)
    values = (_array(column.type, cells) for column, cells in arrays)
    return sa.func.unnest(*values).table_valued(*columns, name="given").render_derived()


def _array(kind: Any, values: Sequence[Any]) -> sa.ColumnElement[Any]:
    from sqlalchemy.dialects.postgresql import ARRAY  # a dialect takes long to import

    return sa.literal(list(values), ARRAY(kind))


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
        raise sa.exc.DBAPIError.instance("COPY", None, error, psycopg.Error) from error


def _written(tx: Tx, table: Any, columns: Columns, same: Same) -> Iterator[Iterable[Any]]:
    """The columns as the driver takes them."""
    for name, values in columns.items():
        process = _processor(tx, table, name)
        yield values if process is None else map(process, values)
    for name, value in same.items():
        process = _processor(tx, table, name)
        yield repeat(value if process is None else process(value))


def _processor(tx: Tx, table: Any, name: str) -> Callable[[Any], Any] | None:
    dialect = tx.get_bind().dialect
    kind: sa.types.TypeEngine[Any] = table.__table__.c[name].type
    return kind.dialect_impl(dialect).bind_processor(dialect)
