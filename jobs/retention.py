"""Retention: of what was sent long ago only the counts are kept."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from bot.db import partitions, rollup, runs
from bot.db.turns import Turns
from bot.outreach import campaigns
from jobs.context import JobContext

log = structlog.get_logger(__name__)

BUDGET = 3.0
"""Seconds of a tick: less than the clock's patience when the program stops."""
_RUNS_AT_ONCE = 1_000


async def roll_up(context: JobContext) -> None:
    """Turn what is older than we promise to keep it into counts, in short turns. What does not fit into a tick waits
    for the next."""
    now = context.now
    before = now - context.keep_deliveries
    await _end_forgotten(context, before)
    async with context.database.read() as tx:
        due = await rollup.due(tx, before, _RUNS_AT_ONCE)
    turns, loop, done = Turns(context.database), asyncio.get_running_loop(), 0
    until = loop.time() + BUDGET
    for run_id in due:
        more = True
        while more and loop.time() < until:
            async with turns.write() as tx:
                more = await rollup.roll_up(tx, run_id, before, now)
        done += not more
    if done:
        log.info("Old runs are only counts now", runs=done)


async def _end_forgotten(context: JobContext, before: datetime) -> None:
    """What somebody held for that long will not go on: it is cancelled, so that one day it is rolled up too."""
    async with context.database.read() as tx:
        forgotten = await rollup.forgotten(tx, before)
    for run_id in forgotten:
        async with context.database.write() as tx:
            run = await runs.get(tx, run_id, lock=True)
            if run is None or run.state in runs.FINAL:
                continue
            run.reported_at = run.reported_at or context.now  # nobody waits for this news any more
            await campaigns.cancel(tx, run, context.now)
            log.warning("A run that was held and forgotten is cancelled", run=run_id)


async def turn_pages(context: JobContext) -> None:
    """At night: a new partition when a month has begun, and away with those of which nothing is left."""
    if not context.desk.clock.is_quiet(context.now):
        return
    if await partitions.turn(context.database, context.desk.clock.today(context.now)):
        log.info("A new partition of the deliveries has begun")
    for name in await partitions.drop_rolled_up(context.database):
        log.info("A partition of the deliveries is gone: its runs are only counts now", partition=name)
