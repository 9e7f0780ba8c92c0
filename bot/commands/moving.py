"""`loaso copy-to`: from SQLite to PostgreSQL, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.commands import console
from bot.commands.edge import DONE
from bot.core.errors import UserError
from bot.db import Database, transfer
from bot.db.guard import SoleSender
from bot.db.migrate import migrate
from bot.settings import EngineKind, Settings, load, secret_file


def copy_to(url: str) -> int:
    settings = load()
    other = load(database_url=url, engine=EngineKind.LOCAL)
    if other.database_url == settings.database_url:
        raise UserError("That is the database itself: name another one")
    rows = asyncio.run(_copy(settings, other))
    console.say(f"{rows:,} rows are in the other database. Set LOASO_DATABASE_URL to it{_key_hint(settings)}.")
    return DONE


def _key_hint(settings: Settings) -> str:
    key = secret_file(settings)
    if settings.secret_key is not None or not key.exists():
        return ""
    return f", and LOASO_SECRET_KEY to what {key} holds: links and erased addresses depend on it"


async def _copy(settings: Settings, other: Settings) -> int:
    async with _alone(settings) as source, _alone(other) as target:
        with console.bar("rows", await transfer.count(source)) as progress:
            return await transfer.transfer(source, target, progress)


@asynccontextmanager
async def _alone(settings: Settings) -> AsyncIterator[Database]:
    """The database, brought up to date, while nobody sends on it."""
    database = Database(settings.database_url)
    sole = SoleSender(database, settings.sqlite_path)
    try:
        await migrate(database)
        await _take(sole)
        yield database
    finally:
        await sole.release()
        await database.close()


async def _take(sole: SoleSender) -> None:
    try:
        await sole.take(patience=0.25)
    except UserError:
        raise UserError("Loa Số is running on one of the two databases: stop every process first") from None
