"""Queries about the runs that carry tips: one for each hour, group and day of its curriculum, held open while people
are still being added to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import CampaignKind, DeliveryState, RunState
from bot.db import bulk, tally
from bot.db.runs import HELD
from bot.db.session import Tx
from bot.db.tables import Campaign, Delivery, Run
from bot.db.tally import NOBODY, Changes

Shares = Mapping[tuple[int, Reason | None], Sequence[int]]
"""Whom a run reaches, by id: they wait, or are skipped for a reason."""


async def campaign(
    tx: Tx, item_id: int, audience: str, now: datetime, *, kind: CampaignKind = CampaignKind.TIP
) -> Campaign:
    """The campaign that carries a tip (or its question) to an audience, made if need be."""
    query = sa.select(Campaign).where(
        Campaign.fingerprint == audience, Campaign.kind == kind, Campaign.item_id == item_id
    )
    found = (await tx.execute(query.order_by(Campaign.id).limit(1))).scalar_one_or_none()
    if found is None:
        found = Campaign(kind=kind, item_id=item_id, audience=audience, fingerprint=audience, created_at=now)
        tx.add(found)
        await tx.flush()
    return found


async def of_moment(tx: Tx, campaign_id: int, planned_at: datetime) -> int:
    """The run of a campaign for that moment. Raises `NoResultFound`."""
    query = sa.select(Run.id).where(Run.campaign_id == campaign_id, Run.planned_at == planned_at)
    return (await tx.execute(query)).scalar_one()


async def locked(tx: Tx, ids: Sequence[int]) -> dict[int, Run]:
    """Those runs by id, as they are now and stay until the end of the transaction."""
    query = sa.select(Run).where(Run.id.in_(ids)).order_by(Run.id).with_for_update()
    found = (await tx.execute(query.execution_options(populate_existing=True))).scalars()
    return {run.id: run for run in found}


async def give(tx: Tx, shares: Shares) -> Counter[int]:
    """Make deliveries in bulk, and count them. Who has one of the same run gets no second. Returns how many each run
    has gained."""
    try:
        async with tx.begin_nested():
            return await _give(tx, shares)
    except sa.exc.IntegrityError:
        have = await _have_one(tx, shares)
        return await _give(tx, {key: [id for id in ids if (key[0], id) not in have] for key, ids in shares.items()})


async def _give(tx: Tx, shares: Shares) -> Counter[int]:
    changes, gained = Changes(), Counter[int]()
    for reason in {reason for _, reason in shares}:
        state = DeliveryState.WAITING if reason is None else DeliveryState.SKIPPED
        mine = sorted((run_id, ids) for (run_id, why), ids in shares.items() if why is reason and ids)
        columns = {
            "run_id": [run_id for run_id, ids in mine for _ in ids],
            "person_id": [id for _, ids in mine for id in ids],
        }
        await bulk.insert(tx, Delivery, columns, {"state": state, "reason": reason})
        for run_id, ids in mine:
            changes.add(run_id, NOBODY, state, len(ids), reason)
            gained[run_id] += len(ids)
    await tally.apply(tx, changes)
    return gained


async def _have_one(tx: Tx, shares: Shares) -> set[tuple[int, int]]:
    """Those that are there already, by run and person."""
    pairs = [(run_id, id) for (run_id, _), ids in shares.items() for id in ids]
    asked = bulk.given(tx, {"run_id": Delivery.run_id, "person_id": Delivery.person_id}, pairs)
    same = sa.and_(Delivery.run_id == asked.c.run_id, Delivery.person_id == asked.c.person_id)
    found = await tx.execute(sa.select(Delivery.run_id, Delivery.person_id).join(asked, same))
    return {(run_id, person_id) for run_id, person_id in found.all()}


async def latest_moment(tx: Tx) -> datetime | None:
    """The latest moment for which tips were planned or marked missed. Each state is asked for itself, from the end of
    the index."""
    tips = sa.select(Run.planned_at).join(Campaign).where(Campaign.kind == CampaignKind.TIP)
    newest = (tips.where(Run.state == state).order_by(Run.planned_at.desc()).limit(1) for state in RunState)
    found = [(await tx.execute(query)).scalar_one_or_none() for query in newest]
    return max((moment for moment in found if moment is not None), default=None)


def _held(kind: CampaignKind) -> sa.ColumnElement[bool]:
    """Runs of that kind that are held open: only these few have `gather_after`."""
    of_kind = sa.exists().where(Campaign.id == Run.campaign_id, Campaign.kind == kind)
    return sa.and_(Run.gather_after.is_not(None), Run.gather_until == HELD, of_kind)


async def first_held(tx: Tx, kind: CampaignKind = CampaignKind.TIP) -> datetime | None:
    """The earliest moment of the runs that are held open."""
    return (await tx.execute(sa.select(sa.func.min(Run.planned_at)).where(_held(kind)))).scalar_one()


async def held(tx: Tx, kind: CampaignKind = CampaignKind.TIP) -> list[Run]:
    """The runs that are held open, locked."""
    query = sa.select(Run).where(_held(kind)).order_by(Run.id)
    return list((await tx.execute(query.with_for_update())).scalars())
