"""Expiry: what could not leave while it was valid does not leave at all, and is shown as missed."""

from __future__ import annotations

import structlog

from bot.core.words import RunState
from bot.db import runs
from bot.outreach import campaigns
from jobs.context import JobContext

log = structlog.get_logger(__name__)
_MAY_EXPIRE = (RunState.PLANNED, RunState.SENDING)


async def expire(context: JobContext) -> None:
    """End runs whose time has passed: those that never began are missed, the rest of the others is skipped."""
    now = context.now
    async with context.database.read() as tx:
        found = await runs.in_state(tx, _MAY_EXPIRE)
        late = [run.id for run in found if run.valid_until is not None and run.valid_until < now]
    for run_id in late:
        async with context.database.write() as tx:
            run = await runs.get(tx, run_id, lock=True)
            if run is None or run.state not in _MAY_EXPIRE:
                continue
            if run.state is RunState.PLANNED and run.materialised_at is None:
                await runs.set_state(tx, run, RunState.MISSED, now)
            else:
                await campaigns.expire(tx, run, now)
                await campaigns.finish_if_done(tx, run, now)
            log.warning("A run has expired", run=run.id, state=str(run.state))
