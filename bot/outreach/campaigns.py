"""Campaigns and runs: planning one, holding it in quiet hours, its states, its counts in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.core.errors import UserError
from bot.core.events import Outbound
from bot.core.words import CampaignKind, CampaignState, DeliveryState, ItemKind, Lane, RoleName, RunState
from bot.db import Tx, audit, deliveries, items, rollup, runs, tally
from bot.db import audience as queries
from bot.db.audience import Expression, condition
from bot.db.runs import FINAL, Counts
from bot.db.tables import Campaign, Item, Run
from bot.db.traffic_rows import Way
from bot.outreach import audience as audiences
from bot.outreach import budgets, gathering, mandates
from bot.outreach import items as content
from bot.outreach.desk import Desk
from bot.outreach.gathering import gather

__all__ = ["gather"]


class Duplicate(UserError):
    """The same text went to the same audience within two days: send with --again if it is meant."""


class WrongState(UserError):
    """What was asked does not fit the run's state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send, to whom, in whose name. `at` is the earliest moment; quiet hours may move it to the morning."""

    kind: CampaignKind
    parts: Sequence[Outbound] = ()
    item: Item | None = None
    audience: Expression
    at: datetime
    title: str = ""
    author_id: int | None = None
    author_role: RoleName | None = None
    unit_id: int | None = None
    header: str = ""
    account_id: int | None = None
    event_id: int | None = None
    urgent: bool = False
    again: bool = False
    resend_unknown: bool = False
    valid_for: timedelta | None = None
    state: CampaignState = CampaignState.APPROVED


_ITEMS = {
    CampaignKind.TIP: ItemKind.TIP,
    CampaignKind.EVENT: ItemKind.EVENT,
    CampaignKind.EVENT_REMINDER: ItemKind.NOTICE,
    CampaignKind.EVENT_CANCELLED: ItemKind.NOTICE,
    CampaignKind.BROADCAST: ItemKind.BROADCAST,
    CampaignKind.ALERT: ItemKind.NOTICE,
    CampaignKind.PRACTICE: ItemKind.QUESTION,
}


async def duplicate_of(
    tx: Tx, desk: Desk, parts: Sequence[Outbound], audience: Expression, now: datetime
) -> Campaign | None:
    """An earlier campaign with the same text to the same audience within the window."""
    mark = content.fingerprint(parts, audiences.write(audience))
    return await runs.similar(tx, mark, now - desk.house.duplicate_window)


async def create(tx: Tx, desk: Desk, plan: Plan, now: datetime) -> tuple[Campaign, Run | None]:
    """Write a campaign down and plan its run (no run yet while it waits for an approver).

    Raises `Duplicate` unless `again` is set, `BadAudience` for a unit that does not exist, `DoesNotFit` for a broadcast
    that would overrun what an account may send in this month.
    """
    await audiences.check_units(tx, plan.audience)
    text = audiences.write(plan.audience)
    item = plan.item or await items.add(
        tx,
        _ITEMS[plan.kind],
        content.dump(plan.parts),
        now,
        title=plan.title,
        account_id=plan.account_id,
        author_id=plan.author_id,
    )
    mark = content.fingerprint(content.load(item.parts), text)
    if not plan.again and await runs.similar(tx, mark, now - desk.house.duplicate_window) is not None:
        raise Duplicate("The same text went to the same audience within two days; add --again if that is meant")
    if plan.kind is CampaignKind.BROADCAST and not plan.urgent:
        await budgets.check_fit(tx, desk, plan.audience, content.load(item.parts), now, header=plan.header)
    campaign = Campaign(
        kind=plan.kind,
        state=plan.state,
        item_id=item.id,
        event_id=plan.event_id,
        audience=text,
        fingerprint=mark,
        author_id=plan.author_id,
        author_role=plan.author_role,
        unit_id=plan.unit_id,
        header=plan.header,
        urgent=plan.urgent,
        resend_unknown=plan.resend_unknown,
        wanted_at=plan.at,
        created_at=now,
    )
    tx.add(campaign)
    await tx.flush()
    if plan.urgent:
        await audit.note(tx, now, "urgent", f"campaign:{campaign.id}", actor_id=plan.author_id, audience=text)
    if plan.state is not CampaignState.APPROVED:
        return campaign, None
    return campaign, await fire(tx, desk, campaign, plan.at, valid_for=plan.valid_for)


async def fire(tx: Tx, desk: Desk, campaign: Campaign, at: datetime, *, valid_for: timedelta | None = None) -> Run:
    """Plan the run of an approved campaign. Without `valid_for` it may leave within three days,
    an alert within six hours."""
    planned = at if campaign.urgent else desk.clock.after_quiet(at)
    usual = timedelta(hours=6) if campaign.urgent else timedelta(days=3)
    keeps = usual if valid_for is None else valid_for
    lane = Lane.ALERT if campaign.urgent else Lane.BULK
    run = await runs.plan(tx, campaign.id, planned, valid_until=planned + keeps, lane=lane)
    if run is None:
        raise WrongState("This campaign is planned for that moment already")
    run.total = await estimate(tx, campaign)
    return run


async def estimate(tx: Tx, campaign: Campaign) -> int:
    """How many people the audience names now."""
    return await queries.count(tx, [condition(audiences.parse(campaign.audience, internal=True))])


async def begin(tx: Tx, desk: Desk, run: Run, now: datetime) -> None:
    """A run's time has come: make its first deliveries, or mark it missed if it is too late. The other people follow
    with `gather`."""
    if run.valid_until is not None and now > run.valid_until:
        await runs.set_state(tx, run, RunState.MISSED, now)
        return
    campaign = await runs.campaign(tx, run.campaign_id)
    if run.materialised_at is None and not await mandates.may_still(tx, campaign):
        await runs.set_state(tx, run, RunState.CANCELLED, now)
        await audit.note(tx, now, "run.cancelled", f"run:{run.id}", why="its author no longer holds the role")
        return
    await runs.set_state(tx, run, RunState.SENDING, now)
    if run.materialised_at is None:
        await gathering.start(tx, desk, run, now)


async def finish_if_done(tx: Tx, run: Run, now: datetime, ways: Sequence[Way] | None = None) -> bool:
    """Close a run of which nothing waits any more for one of the ways that there are (`None`: any account).
    Returns whether it is done: not while its people are still being gathered."""
    if run.gather_after is not None:
        return False
    if (await tally.waiting(tx, [run.id]))[run.id]:
        await deliveries.skip_unreachable(tx, run.id, now, ways)
    if await tally.any_open(tx, run.id):
        return False
    await runs.set_state(tx, run, RunState.DONE, now)
    return True


async def expire(tx: Tx, run: Run, now: datetime) -> None:
    """What could not leave in time does not leave at all."""
    await gathering.end_waiting(tx, run, now)


async def find(tx: Tx, run_id: int, *, lock: bool = True) -> Run:
    """Raises `UserError` if there is no such run. `lock` is for who wants to change it."""
    run = await runs.get(tx, run_id, lock=lock)
    if run is None:
        raise UserError(f"There is no run {run_id}: see 'loaso campaign list'")
    return run


async def pause(tx: Tx, run: Run, now: datetime) -> None:
    if run.state not in (RunState.PLANNED, RunState.SENDING):
        raise WrongState(f"Run {run.id} is {run.state}: only a planned or sending run can be paused")
    await runs.set_state(tx, run, RunState.PAUSED, now)


async def resume(tx: Tx, run: Run, now: datetime) -> None:
    if run.state not in (RunState.PAUSED, RunState.STOPPED):
        raise WrongState(f"Run {run.id} is {run.state}: only a paused or stopped run can be resumed")
    state = RunState.PLANNED if run.materialised_at is None else RunState.SENDING
    await runs.set_state(tx, run, state, now)


async def cancel(tx: Tx, run: Run, now: datetime) -> None:
    if run.state in FINAL:
        raise WrongState(f"Run {run.id} is {run.state}: it cannot be cancelled any more")
    await runs.set_state(tx, run, RunState.CANCELLED, now)
    await gathering.end_waiting(tx, run, now)


async def requeue(tx: Tx, run: Run, state: DeliveryState, now: datetime) -> int:
    """Let the failed or the unknown ones of a run try again, and nobody else. Returns how many."""
    if run.materialised_at is None:
        raise WrongState(f"Run {run.id} has not started: there is nothing to repeat")
    if run.state in FINAL and run.state is not RunState.DONE:
        raise WrongState(f"Run {run.id} is {run.state}: start a new one instead")
    if run.rolled_up_at is not None or await rollup.begun(tx, run.id):
        raise WrongState(f"Run {run.id} ended so long ago that only its counts are left: start a new one instead")
    of_event = (await runs.campaign(tx, run.campaign_id)).event_id is not None
    if of_event and run.valid_until is not None and now > run.valid_until:
        raise WrongState(f"Run {run.id} is about an event that has begun: nobody needs it any more")
    again = await deliveries.requeue(tx, run.id, state)
    if again and run.state in (RunState.DONE, RunState.STOPPED):
        run.finished_at = None
        if not of_event:
            run.valid_until = max(run.valid_until or now, now + timedelta(hours=6))
        await runs.set_state(tx, run, RunState.SENDING, now)
    return again


async def status(tx: Tx, run: Run) -> dict[str, Any]:
    """The run as the outside contract shows it. The states add up to the total."""
    counts = await runs.counts(tx, run)
    rows = {str(state): counts[state] for state in DeliveryState}
    return {
        "id": run.id,
        "state": str(run.state),
        "total": run.total,
        **rows,
        "reasons": {str(reason): n for reason, n in sorted(counts.reasons.items()) if n},
        "problem": run.problem,
        "planned_at": _iso(run.planned_at),
        "started_at": _iso(run.started_at),
        "finished_at": _iso(run.finished_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


async def summary(tx: Tx, run: Run) -> tuple[Counts, Campaign]:
    """What a progress message needs."""
    return await runs.counts(tx, run), await runs.campaign(tx, run.campaign_id)
