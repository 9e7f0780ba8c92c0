"""A run's people, gathered little by little: a million deliveries are neither made nor ended in one transaction.

While `run.gather_after` is set there is more to do: up to `run.gather_until` people still get their delivery; without
that, what waits is being ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.errors import Reason
from bot.core.words import CampaignKind
from bot.db import Tx, deliveries, runs, tally
from bot.db import audience as queries
from bot.db import gathering as rows
from bot.db.audience import condition
from bot.db.gathering import Stretch
from bot.db.tables import Campaign, Run
from bot.outreach import audience as audiences
from bot.outreach.desk import Desk

FIRST = 2_000
"""So many people are gathered when a run begins: enough for the first minute of one account."""
CHUNK = 20_000
"""So many afterwards, in each transaction: a tenth of a second of writing."""
STRETCHES = 10
"""So many stretches of people are searched in one transaction, where few of them are meant."""


async def start(tx: Tx, desk: Desk, run: Run, now: datetime) -> None:
    """Gather the first people. Who comes from now on is not meant."""
    run.materialised_at = now
    run.gather_after, run.gather_until = 0, await rows.newest(tx)
    await _gather(tx, desk, run, Stretch(0, run.gather_until), now, FIRST)


async def gather(tx: Tx, desk: Desk, run: Run, now: datetime) -> bool:
    """Give more people of a run their delivery, or end more of those that wait for a run that is over. Returns whether
    there is more to do. The run must be locked: `runs.get(…, lock=True)`."""
    if run.gather_after is None or run.gather_until == runs.HELD:
        return False
    if run.gather_until is None:
        await _sweep(tx, run, run.gather_after, now)
    else:
        await _gather(tx, desk, run, Stretch(run.gather_after, run.gather_until), now, CHUNK)
    return run.gather_after is not None


async def end_waiting(tx: Tx, run: Run, now: datetime) -> None:
    """What waits for a run that is over does not leave any more. The rest of a large run follows with `gather`."""
    if (run.gather_after is None or run.gather_until == runs.HELD) and await _waits(tx, run):
        run.gather_until = None
        await _sweep(tx, run, 0, now)


async def _gather(tx: Tx, desk: Desk, run: Run, left: Stretch, now: datetime, enough: int) -> None:
    """Walk the people by id until half of `enough` have got a delivery, or many were looked at in vain."""
    campaign = await runs.campaign(tx, run.campaign_id)
    people = condition(audiences.parse(campaign.audience, internal=True))
    over = _why_over(run, now)
    made = 0
    for _ in range(STRETCHES):
        among = await rows.stretch(tx, left, enough)
        skip = _have_had_their_share(desk, campaign, among, now) if over is None else None
        made += await rows.gather(tx, run.id, people, among, skip=skip, over=over)
        left = Stretch(among.until, left.until)
        if left.after >= left.until or made >= enough // 2:
            break
    if left.after < left.until:
        run.gather_after = left.after
        run.total = max(run.total, await tally.total(tx, run.id))
        await tx.flush()
    else:
        await _gathered(tx, run, now)


async def _gathered(tx: Tx, run: Run, now: datetime) -> None:
    """Everybody has a delivery: from now on the total is exact."""
    run.gather_after = run.gather_until = None
    run.total = await tally.total(tx, run.id)
    await tx.flush()
    if run.state in runs.ENDED:
        await end_waiting(tx, run, now)


async def _sweep(tx: Tx, run: Run, after: int, now: datetime) -> None:
    """End what waits among the next people of a run."""
    until = await deliveries.nth_after(tx, run.id, after, CHUNK)
    why = _why_over(run, now) or Reason.EXPIRED
    await deliveries.skip_waiting(tx, run.id, why, now, after=after, until=until)
    run.gather_after = until if await _waits(tx, run) else None
    await tx.flush()


async def _waits(tx: Tx, run: Run) -> bool:
    return (await tally.waiting(tx, [run.id]))[run.id] > 0


def _why_over(run: Run, now: datetime) -> Reason | None:
    """Why nobody gets anything of a run any more."""
    late = run.valid_until is not None and now > run.valid_until
    return runs.ENDED.get(run.state, Reason.EXPIRED if late else None)


def _have_had_their_share(desk: Desk, campaign: Campaign, among: Stretch, now: datetime) -> queries.Condition | None:
    """Those to whom nobody may push another broadcast today or this week."""
    if campaign.kind is not CampaignKind.BROADCAST or campaign.urgent:
        return None
    today, week = desk.clock.start_of_day(now), desk.clock.start_of_day(now - timedelta(days=6))
    house = desk.house
    return queries.capped(today, week, house.broadcasts_per_person_day, house.broadcasts_per_person_week, among)
