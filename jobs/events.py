"""Events: those who come are reminded the day before and two hours before."""

from __future__ import annotations

from bot.db.sql import one_at_a_time
from bot.outreach import events
from jobs.context import JobContext


async def remind(context: JobContext) -> None:
    """Plan the reminders that are due."""
    async with context.database.write() as tx:
        await one_at_a_time(tx, "reminders")
        await events.plan_reminders(tx, context.desk, context.now)
    context.wake()
