"""Census: how many runs are in which state, for the metrics."""

from __future__ import annotations

from collections import Counter

from bot.db import runs
from bot.db.runs import LIVE
from jobs.context import JobContext


async def count_runs(context: JobContext) -> None:
    """Count the runs that are not over."""
    async with context.database.read() as tx:
        found = Counter(run.state for run in await runs.in_state(tx, LIVE))
    for state in LIVE:
        context.meter.runs(state, found[state])
