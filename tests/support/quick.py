"""A database that costs a test little: statements are compiled once a process, and nothing waits for the disk."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bot.db import Database

_first: dict[tuple[str, str], sa.Engine] = {}


def quick(database: Database) -> Database:
    """The same database for every test but those of power cuts. SQLAlchemy keeps compiled statements by engine and
    dialect: all get those of the first database of their kind."""
    for engine in {database._writer.sync_engine, database._reader.sync_engine}:
        first = _first.setdefault((engine.dialect.name, engine.dialect.driver), engine)
        engine.dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
        if database.is_sqlite:
            sa.event.listen(engine, "connect", _trust_the_machine)
    return database


def _trust_the_machine(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()
