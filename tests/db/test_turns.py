"""Long work in short transactions lets others in between."""

from __future__ import annotations

import asyncio

from bot.db import Database
from bot.db.turns import GAP, Turns


async def test_others_have_a_turn_between_two_transactions(database: Database) -> None:
    order: list[str] = []
    begun = asyncio.Event()

    async def long_work() -> None:
        turns = Turns(database)
        for _ in range(3):
            async with turns.write():
                order.append("long")
                begun.set()
                await asyncio.sleep(0)

    async def somebody() -> None:
        await begun.wait()
        async with database.write():
            order.append("short")

    await asyncio.gather(long_work(), somebody())
    assert order.count("long") == 3
    if database.is_sqlite:
        assert order[:2] == ["long", "short"]


async def test_on_sqlite_the_file_is_free_for_a_moment_after_each_transaction(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    turns, loop = Turns(database), asyncio.get_running_loop()
    ends: list[float] = []
    for _ in range(3):
        begun = loop.time()
        async with turns.write():
            ends.append(loop.time() - begun)
    assert ends[0] < ends[1]
    assert min(ends[1:]) >= GAP * 0.9
    await database.close()
