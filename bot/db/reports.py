"""Queries for the report on a run: how many were not sent, and why."""

from __future__ import annotations

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import DeliveryState
from bot.db.session import Tx
from bot.db.tables import Delivery


async def why(tx: Tx, run_id: int) -> dict[tuple[DeliveryState, Reason], int]:
    """Deliveries that have a reason, counted by state and reason."""
    query = (
        sa.select(Delivery.state, Delivery.reason, sa.func.count())
        .where(Delivery.run_id == run_id, Delivery.reason.is_not(None))
        .group_by(Delivery.state, Delivery.reason)
    )
    return {(row[0], row[1]): row[2] for row in (await tx.execute(query)).all()}
