"""Answers: every day anew, so that what has expired stops answering."""

from __future__ import annotations

import asyncio

from bot.outreach.faq.engine import Answerer
from jobs.context import JobContext


async def refresh_answers(context: JobContext) -> None:
    """Build the answers of the day, once a day; building takes a fifth of a second and happens beside the loop."""
    desk, today = context.desk, context.desk.clock.today(context.now)
    if desk.answerer.today != today:
        desk.answerer = await asyncio.to_thread(Answerer, desk.pack.faq, desk.pack.facts, today, desk.pack.hints)
