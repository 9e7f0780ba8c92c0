"""Queries about campaigns and runs: planning, materialising, states and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import CampaignKind, CampaignState, DeliveryState, Lane, RunState
from bot.db import tally
from bot.db.gathering import materialise
from bot.db.session import Tx
from bot.db.sql import insert
from bot.db.tables import Campaign, Run

__all__ = ["materialise"]

FINAL = (RunState.DONE, RunState.CANCELLED, RunState.MISSED)
LIVE = (RunState.PLANNED, RunState.SENDING, RunState.PAUSED, RunState.STOPPED)

ENDED = {RunState.CANCELLED: Reason.CANCELLED, RunState.MISSED: Reason.EXPIRED}
"""Why nobody waits any more for a run that has ended like this."""

HELD = 0
"""`gather_until` of a run that is held open: people are added from elsewhere than its audience, a few at a time."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Deliveries of a run by state, and why the others were not sent."""

    total: int
    states: dict[DeliveryState, int] = field(default_factory=dict)
    reasons: dict[Reason, int] = field(default_factory=dict)

    def __getitem__(self, state: DeliveryState) -> int:
        return self.states.get(state, 0)

    def add(self, state: DeliveryState, n: int, reason: Reason | None = None) -> None:
        """There are `n` more of these."""
        self.states[state] = self[state] + n
        if reason is not None:
            self.reasons[reason] = self.reasons.get(reason, 0) + n

    @property
    def open(self) -> int:
        """How many are still to be sent or settled."""
        return self[DeliveryState.WAITING] + self[DeliveryState.SENDING]


async def get(tx: Tx, run_id: int, *, lock: bool = False) -> Run | None:
    return await tx.get(Run, run_id, with_for_update=lock or None, populate_existing=lock)


async def campaign(tx: Tx, campaign_id: int) -> Campaign:
    return await tx.get_one(Campaign, campaign_id)


async def plan(
    tx: Tx, campaign_id: int, planned_at: datetime, *, valid_until: datetime | None = None, lane: Lane = Lane.BULK
) -> Run | None:
    """One firing of a campaign; `None` if it was planned for that moment before."""
    row = {
        "campaign_id": campaign_id,
        "planned_at": planned_at,
        "valid_until": valid_until,
        "lane": lane,
        "state": RunState.PLANNED,
        "total": 0,
    }
    keys = ["campaign_id", "planned_at"]
    statement = insert(tx, Run).values(row).on_conflict_do_nothing(index_elements=keys).returning(Run.id)
    run_id = (await tx.execute(statement)).scalar_one_or_none()
    return None if run_id is None else await tx.get_one(Run, run_id)


async def due(tx: Tx, now: datetime) -> list[Run]:
    """Planned runs whose time has come, of campaigns that may run; alerts first."""
    query = (
        sa.select(Run)
        .join(Campaign, Campaign.id == Run.campaign_id)
        .where(Run.state == RunState.PLANNED, Run.planned_at <= now, Campaign.state == CampaignState.APPROVED)
        .order_by(Run.lane, Run.planned_at, Run.id)
        .limit(100)
    )
    return list((await tx.execute(query)).scalars())


async def in_state(tx: Tx, states: Sequence[RunState]) -> list[Run]:
    """Runs in one of the states; alerts first, then the oldest plan."""
    query = sa.select(Run).where(Run.state.in_(states)).order_by(Run.lane, Run.planned_at, Run.id)
    return list((await tx.execute(query)).scalars())


async def latest(tx: Tx, limit: int) -> list[tuple[Run, Campaign]]:
    query = sa.select(Run, Campaign).join(Campaign, Campaign.id == Run.campaign_id).order_by(Run.id.desc())
    return [(run, of) for run, of in (await tx.execute(query.limit(limit))).all()]


async def gathering(tx: Tx) -> list[Run]:
    """Runs of which more people still get their delivery, or whose waiting deliveries are being ended; not those that
    are held open by whoever adds the people."""
    held = sa.func.coalesce(Run.gather_until, -1) == HELD
    query = sa.select(Run).where(Run.gather_after.is_not(None), ~held).order_by(Run.id)
    return list((await tx.execute(query)).scalars())


async def counts(tx: Tx, run: Run) -> Counts:
    """The deliveries of a run by state and reason. Those who have none yet wait, or are skipped when the run has ended
    without them, and so do those whose deliveries are just being ended: the states add up to the total."""
    found = Counts(run.total)
    for (state, reason), n in (await tally.read(tx, run.id)).items():
        found.add(state, n, reason)
    if run.materialised_at is None or run.gather_after is not None:
        missing = run.total - sum(found.states.values())
        found.add(DeliveryState.WAITING, missing)
        why = ENDED.get(run.state)
        if why is not None:
            found.add(DeliveryState.SKIPPED, found.states.pop(DeliveryState.WAITING), why)
    return found


async def set_state(tx: Tx, run: Run, state: RunState, now: datetime, *, problem: str | None = None) -> None:
    """Change a run's state; what it ends with gets the time."""
    run.state = state
    run.problem = problem
    if state is RunState.SENDING and run.started_at is None:
        run.started_at = now
    if state in FINAL:
        run.finished_at = now
    await tx.flush()


async def similar(tx: Tx, fingerprint: str, since: datetime) -> Campaign | None:
    """A campaign with the same text to the same audience since then, unless it was cancelled before it went out."""
    dead = (RunState.CANCELLED, RunState.MISSED)
    query = (
        sa.select(Campaign)
        .join(Run, Run.campaign_id == Campaign.id)
        .where(
            Campaign.fingerprint == fingerprint,
            Campaign.created_at >= since,
            sa.or_(Run.state.not_in(dead), Run.started_at.is_not(None)),
        )
        .order_by(Campaign.id.desc())
        .limit(1)
    )
    return (await tx.execute(query)).scalar_one_or_none()


async def by_author_since(tx: Tx, author_id: int, kinds: Sequence[CampaignKind], since: datetime) -> int:
    """How many campaigns of those kinds that person has started since then; cancelled ones do not count."""
    query = (
        sa.select(sa.func.count())
        .select_from(Campaign)
        .where(
            Campaign.author_id == author_id,
            Campaign.kind.in_(kinds),
            Campaign.created_at >= since,
            Campaign.state.in_((CampaignState.APPROVED, CampaignState.PROPOSED)),
            ~sa.exists().where(Run.campaign_id == Campaign.id, Run.state == RunState.CANCELLED),
        )
    )
    return (await tx.execute(query)).scalar_one()


async def watched(tx: Tx) -> list[Run]:
    """Runs with a progress message whose last word has not been said."""
    query = sa.select(Run).where(Run.progress_contact_id.is_not(None), Run.reported_at.is_(None))
    return list((await tx.execute(query.order_by(Run.id))).scalars())
