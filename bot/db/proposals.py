"""Queries about campaigns that wait for somebody's consent."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.words import CampaignState
from bot.db.session import Tx
from bot.db.tables import Campaign, Unit


async def lock(tx: Tx, campaign_id: int) -> Campaign | None:
    """The campaign as it is now; nobody else changes it before this transaction ends."""
    return await tx.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)


async def waiting(tx: Tx, paths: Sequence[str], *, but: int, limit: int) -> list[Campaign]:
    """Proposals for units below one of `paths`, the oldest first; not those of the person `but`."""
    if not paths:
        return []
    below = sa.or_(*(Unit.path.startswith(path, autoescape=True) for path in paths))
    query = (
        sa.select(Campaign)
        .join(Unit, Unit.id == Campaign.unit_id)
        .where(Campaign.state == CampaignState.PROPOSED, below)
        .where(sa.or_(Campaign.author_id.is_(None), Campaign.author_id != but))
    )
    return list((await tx.execute(query.order_by(Campaign.id).limit(limit))).scalars())
