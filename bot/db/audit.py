"""The audit: who did what. Never a text of a message, never a name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.db.session import Tx
from bot.db.sql import changed
from bot.db.tables import Audit


async def note(tx: Tx, now: datetime, action: str, subject: str, *, actor_id: int | None = None, **detail: Any) -> None:
    """Write down what was done to what, by whom (`None` is the operator at the command line)."""
    tx.add(Audit(at=now, actor_id=actor_id, action=action, subject=subject, detail=detail or None))
    await tx.flush()


async def of_action(tx: Tx, action: str) -> list[Audit]:
    return list((await tx.execute(sa.select(Audit).where(Audit.action == action).order_by(Audit.id))).scalars())


async def drop_older(tx: Tx, than: datetime) -> int:
    return await changed(tx, sa.delete(Audit).where(Audit.at < than))
