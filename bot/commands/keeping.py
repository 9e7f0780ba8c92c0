"""`loaso backup` and `loaso restore`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.commands import console
from bot.commands.edge import DONE
from bot.core.clock import Clock
from bot.core.errors import UserError
from bot.db import Database, copies, copies_postgres
from bot.db.guard import SoleSender
from bot.db.migrate import migrate
from bot.settings import Settings, load, secret_file


def backup(file: Path) -> int:
    """The database is copied as it is: an upgrade comes after the backup, not before."""
    settings = load()
    _fits(file)
    if settings.sqlite_path is None:
        copies_postgres.back_up_postgres(settings.database_url, file)
    else:
        copies.back_up_sqlite(settings.sqlite_path, file)
    console.say(f"The database is in {file} ({file.stat().st_size / 1e6:,.1f} MB).{_key_hint(settings)}")
    return DONE


def _fits(file: Path) -> None:
    if file.is_dir():
        raise UserError(f"{file} is a folder: write the name of a file")
    if not file.parent.is_dir():
        raise UserError(f"There is no folder {file.parent}: make it first")


def _key_hint(settings: Settings) -> str:
    if settings.secret_key is not None:
        return ""
    key = secret_file(settings)
    return f" Keep {key} too: links and erased addresses depend on it." if key.exists() else ""


def restore(file: Path) -> int:
    settings = load()
    if settings.sqlite_path is not None:
        copies.check_sqlite(file)
    asyncio.run(_restore(settings, file))
    return DONE


async def _restore(settings: Settings, file: Path) -> None:
    database = Database(settings.database_url)
    sole = SoleSender(database, settings.sqlite_path)
    try:
        await sole.take(patience=0.25)
    except UserError:
        await database.close()
        raise UserError("'loaso run' is using this database: stop it before you restore") from None
    try:
        _put_back(settings, file)
        await migrate(database)
    finally:
        await sole.release()
        await database.close()
    console.say(f"The database is what {file} holds.")


def _put_back(settings: Settings, file: Path) -> None:
    if settings.sqlite_path is None:
        copies_postgres.restore_postgres(file, settings.database_url)
        return
    kept = copies.restore_sqlite(file, settings.sqlite_path, Clock(settings.zone).local(Clock(settings.zone).now()))
    if kept is not None:
        console.say(f"What was there before is kept in {kept}.")
