"""Queries about replies: the interactive lane's outbox. A row lives until its message has left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.core import wire
from bot.core.events import Outbound
from bot.core.words import Lane
from bot.db.session import Tx
from bot.db.sql import changed
from bot.db.tables import Reply


async def add(
    tx: Tx,
    account_id: int,
    contact_id: int | None,
    message: Outbound,
    now: datetime,
    *,
    lane: Lane = Lane.REPLY,
    tag: str | None = None,
) -> Reply:
    """Queue a message; it leaves after the commit."""
    row = Reply(
        account_id=account_id,
        contact_id=contact_id,
        lane=lane,
        message=wire.dump(message),
        tag=tag,
        created_at=now,
    )
    tx.add(row)
    await tx.flush()
    tx.info.setdefault("replies", []).append(row)
    return row


def queued(tx: Tx) -> list[Reply]:
    """What this transaction has queued so far."""
    found: list[Reply] = tx.info.get("replies", [])
    return found


async def waiting_ids(tx: Tx, account_ids: Sequence[int]) -> list[int]:
    """What has not left yet, oldest first."""
    query = sa.select(Reply.id).where(Reply.account_id.in_(account_ids)).order_by(Reply.id)
    return list((await tx.execute(query)).scalars())


async def some(tx: Tx, ids: Sequence[int]) -> list[Reply]:
    """Those replies, as far as they are still there, oldest first."""
    return list((await tx.execute(sa.select(Reply).where(Reply.id.in_(ids)).order_by(Reply.id))).scalars())


async def waiting(tx: Tx, account_ids: Sequence[int]) -> list[Reply]:
    """Everything that has not left yet, oldest first."""
    query = sa.select(Reply).where(Reply.account_id.in_(account_ids)).order_by(Reply.id)
    return list((await tx.execute(query)).scalars())


async def drop(tx: Tx, ids: Sequence[int]) -> None:
    await tx.execute(sa.delete(Reply).where(Reply.id.in_(ids)))


async def drop_older(tx: Tx, than: datetime) -> int:
    """An answer that could not leave for so long is of no use any more."""
    return await changed(tx, sa.delete(Reply).where(Reply.created_at < than))
