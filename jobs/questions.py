"""Questions that wait for people: when nobody answers, it is the turn of those above."""

from __future__ import annotations

from bot.db import questions
from bot.outreach.questions import duty
from jobs.context import JobContext

_AT_ONCE = 200


async def climb(context: JobContext) -> None:
    """Tell the next people of each question that is due, one transaction each."""
    async with context.database.read() as tx:
        due = await questions.due(tx, context.now, _AT_ONCE)
    for question_id in due:
        async with context.database.write() as tx:
            await duty.climb(tx, context.desk, question_id, context.now)
    if due:
        context.wake()
