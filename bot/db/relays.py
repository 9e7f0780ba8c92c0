"""Queries about relays: who carried which item on, and how."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.core.words import RelayKind
from bot.db.session import Tx
from bot.db.tables import Relay


async def add(
    tx: Tx,
    person_id: int,
    item_id: int,
    kind: RelayKind,
    now: datetime,
    *,
    unit_id: int | None = None,
    run_id: int | None = None,
) -> Relay:
    relay = Relay(person_id=person_id, item_id=item_id, kind=kind, unit_id=unit_id, run_id=run_id, at=now)
    tx.add(relay)
    await tx.flush()
    return relay


async def of_person(tx: Tx, person_id: int) -> list[Relay]:
    """What that person carried on, the oldest first."""
    return list((await tx.execute(sa.select(Relay).where(Relay.person_id == person_id).order_by(Relay.id))).scalars())
