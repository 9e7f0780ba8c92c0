"""Queries about tickets: a slice without an owner, for which a job waits in the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg import AsyncConnection

from bot.core.words import AccountState, DeliveryState, Lane, RunState
from bot.db.session import Tx
from bot.db.sql import changed
from bot.db.tables import Account, Run, Slice, Tally

PRIORITY = {Lane.ALERT: 10, Lane.BULK: 0}


@dataclass(frozen=True, slots=True)
class Ticket:
    """A slice that is to be claimed: of which run, through which account, of people whose id is above `after`.
    `delivered` says that somebody has got the run's message before."""

    id: int
    run_id: int
    account_id: int
    lane: Lane
    after: int
    delivered: bool


def key(run_id: int, account_id: int) -> str:
    """What the queue knows the tickets of a run on an account by: there is never a second one waiting."""
    return f"slice:{run_id}:{account_id}"


async def now(tx: Tx) -> datetime:
    """The database's time: leases must not depend on how well each machine's clock goes."""
    moment: datetime = (await tx.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return moment


async def read(tx: Tx, ticket_id: int) -> Ticket | None:
    """`None` when it was filled or thrown away, or when its run is not being sent."""
    delivered = sa.exists().where(Tally.run_id == Slice.run_id, Tally.state == DeliveryState.SENT, Tally.n > 0)
    query = (
        sa.select(Slice.id, Slice.run_id, Slice.account_id, Run.lane, Slice.first, delivered)
        .join(Run, Run.id == Slice.run_id)
        .where(Slice.id == ticket_id, Slice.owner == "", Run.state == RunState.SENDING)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else Ticket(*row)


async def write(connection: AsyncConnection[Any], run_id: int, account_id: int, after: int) -> int:
    """A new ticket; its job belongs into the same transaction. Returns its id."""
    cursor = await connection.execute(
        "INSERT INTO slice (run_id, account_id, owner, first, last, lease_until)"
        " VALUES (%s, %s, '', %s, 0, clock_timestamp()) RETURNING id",
        (run_id, account_id, after),
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101  # RETURNING always answers
    return int(row[0])


async def throw_away(tx: Tx, ticket_id: int) -> None:
    """Nobody fills it now."""
    await tx.execute(sa.delete(Slice).where(Slice.id == ticket_id, Slice.owner == ""))


async def throw_lost_away(tx: Tx) -> int:
    """Tickets whose job has ended without filling them. Returns how many there were."""
    statement = sa.text(
        "DELETE FROM slice WHERE owner = '' AND NOT EXISTS (SELECT FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing') AND args @> jsonb_build_object('ticket_id', slice.id))"
    )
    return await changed(tx, statement)


async def queued(tx: Tx) -> set[tuple[int, int]]:
    """Runs and accounts whose job waits or is being done."""
    query = sa.text(
        "SELECT split_part(queueing_lock, ':', 2)::bigint, split_part(queueing_lock, ':', 3)::int"
        " FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND starts_with(queueing_lock, 'slice:')"
    )
    return {(run_id, account_id) for run_id, account_id in (await tx.execute(query)).all()}


async def urgent(tx: Tx) -> set[int]:
    """Accounts for which an alert waits in the queue."""
    query = sa.text(
        "SELECT split_part(queueing_lock, ':', 3)::int FROM procrastinate_jobs"
        " WHERE status = 'todo' AND priority = :alert AND starts_with(queueing_lock, 'slice:')"
    )
    return set((await tx.execute(query, {"alert": PRIORITY[Lane.ALERT]})).scalars())


async def open_counts(tx: Tx, run_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many wait and how many are being sent in each of these runs; runs without any are left out."""
    waits, leaves = (Tally.state == state for state in (DeliveryState.WAITING, DeliveryState.SENDING))
    query = (
        sa.select(Tally.run_id, sa.func.sum(Tally.n).filter(waits), sa.func.sum(Tally.n).filter(leaves))
        .where(Tally.run_id.in_(run_ids), sa.or_(waits, leaves))
        .group_by(Tally.run_id)
    )
    rows = (await tx.execute(query)).all()
    found = {run_id: (int(waiting or 0), int(sending or 0)) for run_id, waiting, sending in rows}
    return {run_id: counts for run_id, counts in found.items() if any(counts)}


async def active(tx: Tx, account_ids: Sequence[int]) -> set[int]:
    """Those of these accounts that their platform has not refused."""
    query = sa.select(Account.id).where(Account.id.in_(account_ids), Account.state == AccountState.ACTIVE)
    return set((await tx.execute(query)).scalars())
