"""Labels: where a platform lets us label people, they carry their commune and their target group."""

from __future__ import annotations

import structlog

from bot.core.errors import Decision, SendError
from bot.db import labels
from bot.outreach import labelling
from jobs.context import JobContext

log = structlog.get_logger(__name__)

AT_ONCE = 40


async def relabel(context: JobContext) -> None:
    """Label whoever came or changed lately, a few at a time; what the platform refuses is tried again when they write
    next."""
    if not context.labellers:
        return
    async with context.database.read() as tx:
        found = await labels.stale(tx, list(context.labellers), AT_ONCE)
    for one in found:
        wanted = labelling.wanted(context.desk, one)
        try:
            for name in sorted(set(wanted) - set(one.labels)):
                await context.labellers[one.account].tag(one.external_id, name)
            for name in sorted(set(one.labels) - set(wanted)):
                await context.labellers[one.account].untag(one.external_id, name)
        except SendError as error:
            log.warning("Somebody could not be labelled", contact=one.contact_id, error=type(error).__name__)
            if error.decision not in (Decision.CLOSE_CONTACT, Decision.FAIL_DELIVERY, Decision.KEEP):
                return
        async with context.database.write() as tx:
            await labels.put(tx, one.contact_id, wanted, one.state)
