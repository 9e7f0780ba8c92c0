"""Everything into another database: table by table in the order of their foreign keys, with its ids."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import sqlalchemy as sa

from bot.core.errors import UserError
from bot.db import bulk
from bot.db.session import Database, Tx
from bot.db.sql import is_sqlite
from bot.db.tables import Base, ChatPace, Pace, Unit

AT_ONCE = 5_000
_PASSING = (Pace, ChatPace)
"""What a crash may take away need not be carried over."""

Model = type[Base]


def models() -> list[Model]:
    """What is carried over, each after what it refers to."""
    by_table = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    found = [by_table[table] for table in Base.metadata.sorted_tables]
    return [model for model in found if model not in _PASSING]


async def count(database: Database) -> int:
    """How many rows there are to carry over."""
    async with database.read() as tx:
        counted = [sa.select(sa.func.count()).select_from(model) for model in models()]
        return sum([(await tx.execute(query)).scalar_one() for query in counted])


async def transfer(source: Database, target: Database, progress: Callable[[int], None]) -> int:
    """Copy everything that is in `source` at one moment, all of it or nothing. Both have the newest schema. `progress`
    is told how many rows were copied. Returns how many there were. Raises `UserError` when `target` is in use."""
    rows = 0
    async with source.read() as old, target.write() as new:
        if not source.is_sqlite:
            await old.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        await _make_room(old, new)
        for model in models():
            rows += await _copy(old, new, model, progress)
            await _go_on_counting(old, new, model)
    if not target.is_sqlite:
        async with target.write() as new:
            await new.execute(sa.text("ANALYZE"))  # else the first run would be planned for empty tables
    return rows


async def _make_room(old: Tx, new: Tx) -> None:
    """Take away the units that migrations bring: they come again with all others."""
    for model in models():
        if model is not Unit and (await new.execute(sa.select(sa.literal(1)).select_from(model).limit(1))).first():
            raise UserError(f"The other database is in use (table {model.__tablename__}): name an empty one")
    known = set((await old.execute(sa.select(Unit.code))).scalars())
    if not known.issuperset((await new.execute(sa.select(Unit.code))).scalars()):
        raise UserError("The other database has units of its own: name an empty one")
    await new.execute(sa.update(Unit).values(dict.fromkeys(_to_itself(Unit))))
    await new.execute(sa.delete(Unit))


async def _copy(old: Tx, new: Tx, model: Model, progress: Callable[[int], None]) -> int:
    """What a row says of another of its own table, which may come later, is said when all of them are there."""
    rows = 0
    itself = _to_itself(model)
    later: dict[str, list[Any]] = {name: [] for name in ("id", *itself)} if itself else {}
    async with aclosing(_batches(old, model)) as batches:
        async for columns in batches:
            for name in later:
                later[name].extend(columns[name])
            await bulk.insert(new, model, {name: column for name, column in columns.items() if name not in itself})
            size = len(next(iter(columns.values())))
            rows += size
            progress(size)
    if rows and later:
        await bulk.update(new, model, ("id", later.pop("id")), later)
    return rows


async def _batches(old: Tx, model: Model) -> AsyncGenerator[dict[str, Sequence[Any]]]:
    """All rows in the order of their keys, some at a time, column by column."""
    table = model.__table__
    query = sa.select(*table.columns).order_by(*table.primary_key)
    result = await old.stream(query.execution_options(yield_per=AT_ONCE))
    try:
        async for batch in result.partitions():
            yield dict(zip(table.columns.keys(), zip(*batch, strict=True), strict=True))
    finally:
        await result.close()


def _to_itself(model: Model) -> list[str]:
    """Columns that refer to the same table."""
    table = model.__table__
    return [key.parent.name for key in table.foreign_keys if key.column.table is table]


async def _go_on_counting(old: Tx, new: Tx, model: Model) -> None:
    """An id that was given once is never given again, also if its row has gone."""
    table = model.__table__
    if not isinstance(table, sa.Table) or table.autoincrement_column is None:
        return
    latest = max(await _latest(old, table), await _latest(new, table))
    if latest and not is_sqlite(new):
        await new.execute(
            sa.text("SELECT setval(:counter, :latest)"), {"counter": f"{table.name}_id_seq", "latest": latest}
        )
    elif latest and table.dialect_options["sqlite"]["autoincrement"]:
        row = {"name": table.name, "seq": latest}
        await new.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), row)
        await new.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), row)


async def _latest(tx: Tx, table: sa.Table) -> int:
    """The latest id that was given."""
    there = (await tx.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0)))).scalar_one()
    if is_sqlite(tx):
        query = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name").bindparams(name=table.name)
    else:
        query = sa.text(f"SELECT last_value FROM {table.name}_id_seq WHERE is_called")  # noqa: S608  # our own name
    return int(max(there, (await tx.execute(query)).scalar() or 0))
