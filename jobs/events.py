"""Events: those who come are reminded the day before and two hours before."""

from __future__ import annotations

from bot.outreach import events
from jobs.context import JobContext


async def remind(context: JobContext) -> None:
    """Plan the reminders that are due."""
    async with context.database.write() as tx:
        await events.plan_reminders(tx, context.desk, context.now)
    context.wake()
