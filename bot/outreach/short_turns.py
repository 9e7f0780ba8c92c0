"""Long planning in short transactions, so that answers slip in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bot.db import Database, Tx
from bot.db.turns import Turns


class Round(Protocol):
    """One look at everything that is due: `look` first, then `step` as long as it returns true."""

    async def look(self, tx: Tx) -> bool: ...

    async def step(self, tx: Tx) -> bool: ...


async def walk(database: Database, found: Round, planned: Callable[[], None]) -> None:
    """Take all steps of a round, each in a transaction of its own. `planned` is told after each."""
    async with database.read() as tx:
        more = await found.look(tx)
    turns = Turns(database)
    while more:
        async with turns.write() as tx:
            more = await found.step(tx)
        planned()
