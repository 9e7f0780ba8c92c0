"""Queries about events that came in: what makes redelivery harmless."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.db.session import Tx
from bot.db.sql import changed, insert
from bot.db.tables import InboundSeen


async def is_new(tx: Tx, account_id: int, external_id: str, now: datetime) -> bool:
    """Note the event; false if it was noted before."""
    row = {"account_id": account_id, "external_id": external_id, "at": now}
    return bool(await changed(tx, insert(tx, InboundSeen).values(row).on_conflict_do_nothing()))


async def drop_older(tx: Tx, than: datetime) -> int:
    """Platforms repeat an event for a day at most."""
    return await changed(tx, sa.delete(InboundSeen).where(InboundSeen.at < than))
