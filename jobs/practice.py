"""Practice: each day's question, some hours after the tip or on the day after it."""

from __future__ import annotations

from bot.outreach import practice_round
from jobs.context import JobContext


async def ask_questions(context: JobContext) -> None:
    """Plan what is due now, in transactions that are short enough for answers to slip in between."""
    await practice_round.plan_due(context.database, context.desk, context.now, context.wake)
