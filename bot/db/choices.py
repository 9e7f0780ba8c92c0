"""Queries about what a contact can answer with a number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.core.words import DeliveryState
from bot.db.session import Tx
from bot.db.sql import insert
from bot.db.tables import Choice, Delivery, Run

_LONGEST_RUN = timedelta(days=2)
"""So long before a message arrived its run may have begun."""


async def get(tx: Tx, contact_id: int) -> Choice | None:
    query = sa.select(Choice).where(Choice.contact_id == contact_id)
    return (await tx.execute(query, execution_options={"populate_existing": True})).scalar_one_or_none()


async def put(tx: Tx, contact_id: int, options: Sequence[Any], at: datetime) -> None:
    row = {"contact_id": contact_id, "options": list(options), "at": at}
    statement = insert(tx, Choice).values(row)
    change = {"options": statement.excluded.options, "at": statement.excluded.at}
    await tx.execute(statement.on_conflict_do_update(index_elements=["contact_id"], set_=change))


async def drop_before(tx: Tx, contact_id: int, moment: datetime) -> None:
    await tx.execute(sa.delete(Choice).where(Choice.contact_id == contact_id, Choice.at < moment))


async def latest_run(tx: Tx, contact_id: int, person_id: int, since: datetime) -> int | None:
    """The run that reached this contact last, if that was after `since`."""
    lately = sa.select(Run.id).where(Run.started_at > since - _LONGEST_RUN, Run.rolled_up_at.is_(None))
    query = (
        sa.select(Delivery.run_id)
        .where(
            Delivery.run_id.in_(lately),
            Delivery.person_id == person_id,
            Delivery.contact_id == contact_id,
            Delivery.state == DeliveryState.SENT,
            Delivery.at > since,
        )
        .order_by(Delivery.at.desc())
        .limit(1)
    )
    return (await tx.execute(query)).scalar_one_or_none()
