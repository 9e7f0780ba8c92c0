"""Tips: each day's tip is planned for the hour that people chose, on each of their days once."""

from __future__ import annotations

from bot.outreach import curriculum, tip_round
from jobs.context import JobContext


async def plan_tips(context: JobContext) -> None:
    """Plan what is due now, in transactions that are short enough for answers to slip in between."""
    async with context.database.write() as tx:
        await curriculum.sync(tx, context.desk.pack)
    await tip_round.plan_due(context.database, context.desk, context.now, context.wake)
