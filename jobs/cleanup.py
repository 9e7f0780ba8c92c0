"""Cleanup: what is no longer needed is forgotten."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.db import audit, conversations, inbound, local_entries, pace, practice, published, questions, replies
from bot.outreach.questions import answering, asking
from jobs.context import JobContext

log = structlog.get_logger(__name__)

KEEP = (
    ("inbound", inbound.drop_older, timedelta(hours=48)),
    ("conversations", conversations.drop_older, timedelta(days=30)),
    ("replies", replies.drop_older, timedelta(days=1)),
    ("published files", published.drop_expired, timedelta(0)),
    ("pace", pace.drop_older, timedelta(minutes=5)),
    ("audit", audit.drop_older, timedelta(days=365)),
    ("asked", questions.drop_asked_older, asking.REMEMBERED),
    ("answered questions", questions.settle_given_before, answering.CONTENT_AFTER),
    ("words of questions", questions.drop_words_older, timedelta(days=30)),
    ("words of entries", local_entries.drop_words_older, timedelta(days=30)),
    ("practice", practice.drop_older, timedelta(days=400)),
)


async def cleanup(context: JobContext) -> None:
    """Drop what is older than we promise to keep it."""
    for what, drop_older, age in KEEP:
        async with context.database.write() as tx:
            dropped = await drop_older(tx, context.now - age)
        if dropped:
            log.info("Old rows were dropped", what=what, rows=dropped)
