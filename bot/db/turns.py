"""Long work in many short transactions: whoever waits for the database has a turn between two of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.db.session import Database, Tx

GAP = 0.03
"""Seconds. A process that waits for SQLite's lock looks again every 25 ms at most for its first 128 ms: with a gap of
more than that after each transaction of up to 98 ms it is let in by then."""


class Turns:
    """The transactions of one long work. On PostgreSQL nobody waits for them, so they follow one another at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._free_from = 0.0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """One transaction, some time after the one before; what is done in between counts."""
        loop = asyncio.get_running_loop()
        if self._database.is_sqlite:
            await asyncio.sleep(self._free_from - loop.time())
        async with self._database.write() as tx:
            yield tx
        self._free_from = loop.time() + GAP
