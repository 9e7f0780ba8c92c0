"""Queries about campaigns that wait for somebody's consent."""

from __future__ import annotations

from bot.db.session import Tx
from bot.db.tables import Campaign


async def lock(tx: Tx, campaign_id: int) -> Campaign | None:
    """The campaign as it is now; nobody else changes it before this transaction ends."""
    return await tx.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
