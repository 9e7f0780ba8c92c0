"""Questions that wait: unanswered they go to those above, and in the end it is said that nobody could answer. In the
morning what the night held back is given."""

from __future__ import annotations

from bot.db import questions
from bot.outreach.questions import answering
from jobs.context import JobContext

_AT_ONCE = 200


async def climb(context: JobContext) -> None:
    """Do what is due of each question, one transaction each."""
    async with context.database.read() as tx:
        due = await questions.due(tx, context.now, _AT_ONCE)
        forsaken = await questions.forsaken(tx, context.now - answering.GIVEN_UP_AFTER, _AT_ONCE)
    for question_id in due:
        async with context.database.write() as tx:
            await answering.step(tx, context.desk, question_id, context.now)
    for question_id in forsaken:
        async with context.database.write() as tx:
            await answering.give_up(tx, context.desk, question_id, context.now)
    if due or forsaken:
        context.wake()
