"""Queries about replies: the interactive lane's outbox. A row lives until its message has left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa

from bot.core import wire
from bot.core.events import Outbound
from bot.core.words import Lane
from bot.db import questions
from bot.db.session import Tx
from bot.db.sql import changed
from bot.db.tables import Reply

ANSWER = "answer:"
"""Begins the tag of what people answered; the question's number follows."""
_LEASE = timedelta(seconds=20)
"""For how long a reply belongs to the process that queued it, unless that says that it is alive."""


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
    """Queue a message; it leaves after the commit. See also `take_on`."""
    row = Reply(
        account_id=account_id,
        contact_id=contact_id,
        lane=lane,
        message=wire.dump(message),
        tag=tag,
        created_at=now,
    )
    if owner := tx.info.get("owner"):
        row.owner, row.lease_until = owner, cast("datetime", _later(_LEASE))
    tx.add(row)
    await tx.flush()
    tx.info.setdefault("replies", []).append(row)
    return row


def take_on(tx: Tx, owner: str | None) -> None:
    """What this transaction queues belongs to that process, which lets it leave after the commit."""
    tx.info["owner"] = owner


def _later(lease: timedelta) -> sa.ColumnElement[datetime]:
    """By the database's clock."""
    return sa.func.clock_timestamp() + sa.literal(lease, sa.Interval())


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


async def claim(tx: Tx, account_ids: Sequence[int], owner: str, lease: timedelta, limit: int) -> list[Reply]:
    """Replies of these accounts that nobody takes care of (any more) are that process's now, oldest first."""
    free = sa.or_(Reply.owner.is_(None), Reply.lease_until < sa.func.clock_timestamp())
    chosen = sa.select(Reply.id).where(Reply.account_id.in_(account_ids), free).order_by(Reply.id).limit(limit)
    mine = chosen.with_for_update(skip_locked=True).scalar_subquery()
    statement = sa.update(Reply).where(Reply.id.in_(mine)).values(owner=owner, lease_until=_later(lease))
    rows = await tx.scalars(statement.returning(Reply), execution_options={"synchronize_session": False})
    return sorted(rows, key=lambda row: row.id)


async def owned(tx: Tx, owner: str) -> set[int]:
    """Ids of what that process has taken care of and what has not left yet."""
    return set((await tx.scalars(sa.select(Reply.id).where(Reply.owner == owner))).all())


async def renew(tx: Tx, owner: str, lease: timedelta) -> None:
    """Say that this process is alive. A reply that is just being dropped needs no lease."""
    mine = sa.select(Reply.id).where(Reply.owner == owner).order_by(Reply.id).with_for_update(skip_locked=True)
    await tx.execute(sa.update(Reply).where(Reply.id.in_(mine)).values(lease_until=_later(lease)))


async def release(tx: Tx, owner: str) -> None:
    """Let others take care of what has not left."""
    await tx.execute(sa.update(Reply).where(Reply.owner == owner).values(owner=None, lease_until=None))


async def drop(tx: Tx, ids: Sequence[int]) -> None:
    await tx.execute(sa.delete(Reply).where(Reply.id.in_(ids)))


async def drop_older(tx: Tx, than: datetime) -> int:
    """A reply that could not leave for so long is of no use any more; what people answered is given again when the
    asker writes."""
    old = Reply.created_at < than
    for tag in (await tx.scalars(sa.select(Reply.tag).where(old, Reply.tag.startswith(ANSWER)))).all():
        await questions.take_back(tx, int((tag or "").removeprefix(ANSWER)))
    return await changed(tx, sa.delete(Reply).where(old))
