"""Labels: where a platform lets us label people, they carry their commune and their target group."""

from __future__ import annotations

from collections.abc import Collection

import structlog

from bot.core.errors import BadContent, Decision, SendError
from bot.db import labels
from bot.db.labels import Labelled
from bot.outreach import labelling
from jobs.context import JobContext, Labeller

log = structlog.get_logger(__name__)

AT_ONCE = 40
_THEIR_OWN = (Decision.CLOSE_CONTACT, Decision.FAIL_DELIVERY, Decision.KEEP, Decision.STOP_RUN)
"""What the platform says of one person or of one label; whatever else it says is likely true for the next one too."""
_LATER = (Decision.BACK_OFF, Decision.RETRY, Decision.STOP_ACCOUNT, Decision.OUT_OF_BUDGET)
"""What is no reason to pass somebody over."""


async def relabel(context: JobContext) -> None:
    """Label whoever came or changed lately, a few at a time; whom the platform refuses is tried again when they write
    next."""
    if not context.labellers:
        return
    async with context.database.read() as tx:
        found = await labels.stale(tx, list(context.labellers), AT_ONCE)
    for one in found:
        carried, error = await _label(context.labellers[one.account], one, labelling.wanted(context.desk, one))
        if error is not None:
            log.warning("Somebody could not be labelled", contact=one.contact_id, error=type(error).__name__)
        async with context.database.write() as tx:
            await labels.put(tx, one.contact_id, carried)
            if error is None:
                await labels.settle(tx, one.contact_id, one.state)
            elif error.decision not in _LATER:
                await labels.pass_over(tx, one.contact_id, one.state)
        if error is not None and error.decision not in _THEIR_OWN:
            return


async def _label(labeller: Labeller, one: Labelled, wanted: Collection[str]) -> tuple[list[str], SendError | None]:
    """What they carry now, and what kept us from the rest."""
    carried = list(one.labels)
    try:
        for name in [name for name in wanted if name not in one.labels]:
            await labeller.tag(one.external_id, name)
            carried.append(name)
        for name in [name for name in one.labels if name not in wanted]:
            await _take_off(labeller, one.external_id, name)
            carried.remove(name)
    except SendError as error:
        return carried, error
    return carried, None


async def _take_off(labeller: Labeller, who: str, name: str) -> None:
    """Somebody at the desk may have done it already."""
    try:
        await labeller.untag(who, name)
    except BadContent as error:
        log.debug("A label is not there any more", error=type(error).__name__)
