"""One holder a seat: found again when the holder's session is gone, never two for longer than a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import psycopg
import pytest
import sqlalchemy as sa

from bot.core.errors import UserError
from bot.db import Database
from bot.db.direct import address, impatient
from bot.db.election import CLOCK
from bot.db.guard import SoleSender
from bot.engine.election import Election


class Candidate:
    """Knows whether it was told that the clock is its own."""

    def __init__(self, database: Database) -> None:
        self.election = Election(database)
        self.election.stand(CLOCK, "clock", self._won, self._lost)
        self.holds = False
        self.news = asyncio.Event()

    async def _won(self) -> None:
        self.holds = True
        self.news.set()

    async def _lost(self) -> None:
        self.holds = False
        self.news.set()

    async def run(self) -> None:
        await self.election.open()
        await self.election.start()

    async def hears(self) -> bool:
        await asyncio.wait_for(self.news.wait(), 5)
        self.news.clear()
        return self.holds


New = Callable[[], Candidate]


@pytest.fixture
async def new(shared: Database) -> AsyncIterator[New]:
    made: list[Candidate] = []

    def one() -> Candidate:
        made.append(Candidate(shared))
        return made[-1]

    yield one
    for candidate in made:
        await candidate.election.stop()


async def _cut_sessions(database: Database) -> None:
    async with await psycopg.AsyncConnection.connect(address(database), autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'loaso election'"
        )


async def test_one_holds_the_clock_and_another_takes_over(new: New) -> None:
    first, second = new(), new()
    await first.run()
    assert await first.hears()
    await second.run()
    await first.election.stop()
    assert await second.hears()
    assert second.election.holds(CLOCK)
    assert not first.election.holds(CLOCK)


async def test_a_cut_session_loses_the_seat_and_somebody_has_it_again(new: New, shared: Database) -> None:
    first = new()
    await first.run()
    assert await first.hears()
    second = new()
    await second.run()
    await _cut_sessions(shared)
    assert not await first.hears()
    holder, other = (first, second) if await asyncio.wait_for(_any_news(first, second), 5) is first else (second, first)
    assert holder.holds
    assert not other.holds


async def _any_news(*candidates: Candidate) -> Candidate:
    while True:
        for candidate in candidates:
            if candidate.news.is_set() and candidate.holds:
                return candidate
        await asyncio.sleep(0.02)


async def test_seats_are_taken_one_by_one(new: New, shared: Database) -> None:
    first, second = new(), new()

    async def nothing() -> None: ...

    for candidate in (first, second):
        candidate.election.stand(7, "telegram:7", nothing, nothing)
    await first.run()
    assert await first.hears()
    assert first.election.holds(7)
    await second.run()
    assert not second.election.holds(7)


async def test_a_process_that_stands_still_keeps_no_locks(shared: Database) -> None:
    """Whatever it does there: in the pool, on connections of its own, for the queue."""
    url = impatient(shared.url + "?options=-c%20work_mem%3D2MB", 15)
    database = Database(url)
    async with database.read() as tx:
        asked = "SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('work_mem')"
        assert (await tx.execute(sa.text(asked))).one() == ("15s", "2MB")
    await database.close()
    async with await psycopg.AsyncConnection.connect(address(database)) as connection:
        assert await (await connection.execute(asked)).fetchone() == ("15s", "2MB")


async def test_the_engine_of_one_process_and_a_cluster_exclude_each_other(new: New, shared: Database) -> None:
    sole = SoleSender(shared, None)
    await sole.take()
    cluster = new()
    with pytest.raises(UserError, match="LOASO_ENGINE=local"):
        await cluster.run()
    await sole.release()
    await cluster.run()
    with pytest.raises(UserError, match="already sends"):
        await sole.take(patience=0.1)
