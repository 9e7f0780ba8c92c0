"""What a command opens, and nothing more: the settings, the database (migrated if it is behind), the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from bot.core.clock import Clock
from bot.db import Database
from bot.db.migrate import migrate
from bot.outreach.desk import Desk
from bot.settings import Settings, load

if TYPE_CHECKING:
    from messages.content.models import Pack

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """The settings, the database and the clock of one command."""

    settings: Settings
    database: Database
    clock: Clock

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def desk(self, pack: Pack | None = None) -> Desk:
        """A desk for rules that answer nobody: without links, and without content unless it is given."""
        from messages import Phrasebook

        nothing: Any = _Nothing()
        return Desk(
            clock=self.clock,
            book=Phrasebook(self.settings.zone),
            pack=pack or nothing,
            answerer=nothing,
            secret_key=b"",
        )


class _Nothing:
    """Where a command has no content: reading it takes longer than most commands, so nobody may look there."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"this command was opened without content: no {name}")


@asynccontextmanager
async def opened() -> AsyncIterator[Opened]:
    """Raises `SettingsError`, `UserError` for a database of a newer program, and what the database raises."""
    settings = load()
    database = Database(settings.database_url)
    try:
        await migrate(database)
        yield Opened(settings, database, Clock(settings.zone))
    finally:
        await database.close()


def with_database(work: Callable[[Opened], Awaitable[T]]) -> T:
    """Run a command's work on the opened database."""

    async def run() -> T:
        async with opened() as found:
            return await work(found)

    return asyncio.run(run())
