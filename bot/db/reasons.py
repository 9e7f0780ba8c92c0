"""Queries about why deliveries were not sent."""

from __future__ import annotations

from bot.core.errors import Reason
from bot.core.words import DeliveryState
from bot.db import tally
from bot.db.session import Tx


async def why(tx: Tx, run_id: int) -> dict[tuple[DeliveryState, Reason], int]:
    """Deliveries that have a reason, counted by state and reason."""
    counted = await tally.read(tx, run_id)
    return {(state, reason): n for (state, reason), n in counted.items() if reason is not None}
