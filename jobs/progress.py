"""Progress: who sends a broadcast watches it in one message, and hears how it ended."""

from __future__ import annotations

from bot.core.words import RunState
from bot.db import runs
from bot.outreach import progress
from jobs.context import JobContext


async def tell_progress(context: JobContext) -> None:
    """Bring every watched message up to date. Nothing is written while nothing is watched."""
    async with context.database.read() as tx:
        watched = [run.id for run in await runs.watched(tx) if run.state is not RunState.PLANNED]
    for run_id in watched:
        async with context.database.write() as tx:
            run = await runs.get(tx, run_id, lock=True)
            if run is not None and run.reported_at is None:
                await progress.tell(tx, context.desk, run, context.now)
    if watched:
        context.wake()
