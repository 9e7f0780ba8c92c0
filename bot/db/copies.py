"""Copies of an SQLite database: made while it is in use, put back when nobody uses it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from bot.core.errors import UserError

_SQLITE_MARK = b"SQLite format 3\0"
POSTGRES_MARK = b"PGDMP"


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A file in the same folder that takes the name `path` when all went well, readable by its owner alone."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        Path(name).replace(path)
    finally:
        for rest in (name, f"{name}-wal", f"{name}-shm", f"{name}-journal"):
            with suppress(OSError):
                Path(rest).unlink()


def back_up_sqlite(database: Path, to: Path) -> None:
    """One consistent copy in one file; writers go on meanwhile. Raises `UserError`, `OSError`."""
    if not database.exists():
        raise UserError(f"There is no database at {database}: nothing to copy")
    if to.exists() and to.samefile(database):
        raise UserError(f"{to} is the database itself: write the copy somewhere else")
    with beside(to) as copy:
        try:
            with closing(_open(database)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise UserError(f"The database cannot be copied: {error}") from error
        _examine(copy)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True, timeout=15)


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _examine(path: Path) -> None:
    """Raises `UserError` unless it is a whole database of this program."""
    try:
        with closing(_open(path)) as found:
            sound = found.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            ours = found.execute("SELECT count(*) FROM sqlite_master WHERE name IN ('alembic_version', 'unit')")
            known = ours.fetchone()[0] == 2
    except sqlite3.Error as error:
        raise UserError(f"{path.name} is not a Loa Số database: {error}") from error
    if not sound:
        raise UserError(f"{path.name} is damaged: use another copy")
    if not known:
        raise UserError(f"{path.name} is not a Loa Số database")


def check_sqlite(copy: Path) -> None:
    """Raises `UserError` unless the file is a sound copy, and `OSError` when it cannot be read."""
    with copy.open("rb") as file:
        start = file.read(len(_SQLITE_MARK))
    if start.startswith(POSTGRES_MARK):
        raise UserError(f"{copy} is a copy of a PostgreSQL database: set LOASO_DATABASE_URL to PostgreSQL")
    if start != _SQLITE_MARK:
        raise UserError(f"{copy} is not a copy made by 'loaso backup'")
    _examine(copy)


def restore_sqlite(copy: Path, database: Path, now: datetime) -> Path | None:
    """Put a checked copy in the place of the database; returns where the old one was kept. Raises `UserError` while
    another program has the database open."""
    database.parent.mkdir(parents=True, exist_ok=True)
    kept = None
    with beside(database) as fresh:
        shutil.copyfile(copy, fresh)
        if database.exists():
            _close_wal(database)
            _same_owner(database, fresh)
            kept = database.with_name(f"{database.name}.before-{now:%Y%m%d-%H%M%S}")
            _keep(database, kept)
    return kept


def _close_wal(database: Path) -> None:
    """Fold the write-ahead log into the file, which only works while nobody else has it open."""
    try:
        with closing(sqlite3.connect(database, timeout=1)) as found:
            mode = found.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    except sqlite3.OperationalError as error:
        raise UserError("Another program has the database open: stop 'loaso run' first") from error
    except sqlite3.DatabaseError:
        return  # what is there is no database any more: all the more reason to restore
    if mode != "delete":
        raise UserError("Another program has the database open: stop 'loaso run' first")


def _same_owner(old: Path, fresh: Path) -> None:
    """Who could use the database before can use it afterwards, also when the administrator restores it."""
    shutil.copymode(old, fresh)
    with suppress(PermissionError):
        os.chown(fresh, old.stat().st_uid, old.stat().st_gid)


def _keep(database: Path, kept: Path) -> None:
    try:
        os.link(database, kept)
    except OSError:  # a file system without links
        shutil.copy2(database, kept)
