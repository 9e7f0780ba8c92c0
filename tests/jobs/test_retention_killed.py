"""A roll-up that is killed at any moment has counted each delivery that is gone, and none that is there."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from asyncio.subprocess import PIPE
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.clock import utc_now
from bot.core.words import CampaignKind, ItemKind, RunState
from bot.db import Database, rollup
from bot.db.tables import Campaign, Delivery, Item, Rollup, Run

pytestmark = [pytest.mark.kill]

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 2_000
KILLS = 3
ROLLS = """
import asyncio, sys
from bot.core.clock import utc_now
from bot.db import Database, rollup
async def main():
    database, now, more = Database(sys.argv[1]), utc_now(), True
    while more:
        async with database.write() as tx:
            more = await rollup.roll_up(tx, 1, now, now, 20)
        print("chunk", flush=True)
    await database.close()
asyncio.run(main())
"""


async def _old_run(database: Database) -> None:
    old = utc_now() - timedelta(days=200)
    async with database.write() as tx:
        item = Item(kind=ItemKind.BROADCAST, parts=[], created_at=old)
        tx.add(item)
        await tx.flush()
        fields = {"item_id": item.id, "audience": "all", "fingerprint": "x", "created_at": old}
        tx.add(Campaign(id=1, kind=CampaignKind.BROADCAST, **fields))
        await tx.flush()
        tx.add(Run(id=1, campaign_id=1, state=RunState.DONE, planned_at=old, finished_at=old, total=PEOPLE))
        rows = ({"run_id": 1, "person_id": n, "state": 2 + n % 4} for n in range(1, PEOPLE + 1))
        insert = "INSERT INTO delivery (run_id, person_id, state) VALUES (:run_id, :person_id, :state)"
        await tx.execute(sa.text(insert), list(rows))


async def _rows_and_counts(database: Database) -> tuple[int, int]:
    async with database.read() as tx:
        rows = (await tx.execute(sa.select(sa.func.count()).select_from(Delivery))).scalar_one()
        counted = (await tx.execute(sa.select(sa.func.coalesce(sa.func.sum(Rollup.n), 0)))).scalar_one()
    return rows, int(counted)


async def _roll(url: str, chunks: int, linger: float) -> None:
    """Roll up in a process of its own, killed so many seconds after so many chunks."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ROLLS, url, stdout=PIPE, env=environment)
    assert process.stdout is not None
    for _ in range(chunks):
        assert await process.stdout.readline() == b"chunk\n"
    await asyncio.sleep(linger)
    process.kill()
    await process.communicate()


async def test_a_kill_leaves_the_row_or_its_count_never_both_never_neither(database: Database) -> None:
    await _old_run(database)
    chance = random.Random(7)
    for _ in range(KILLS):
        await _roll(database.url, chance.randint(1, 20), chance.uniform(0, 0.01))
        rows, counted = await _rows_and_counts(database)
        assert (rows + counted, rows > 0) == (PEOPLE, True)
    more = True
    while more:
        async with database.write() as tx:
            more = await rollup.roll_up(tx, 1, utc_now(), utc_now())
    assert await _rows_and_counts(database) == (0, PEOPLE)
    async with database.read() as tx:
        assert (await tx.get_one(Run, 1)).rolled_up_at is not None
        by_state = sa.select(Rollup.state, sa.func.sum(Rollup.n)).group_by(Rollup.state)
        assert {int(n) for _, n in (await tx.execute(by_state)).all()} == {PEOPLE // 4}
