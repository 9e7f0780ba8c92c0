"""Queries about why deliveries were not sent."""

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
    counted = (await tx.execute(query)).all()
    return {(state, reason): count for state, reason, count in counted if reason is not None}
