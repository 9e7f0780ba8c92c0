"""Queries about runs of which only the counts are kept: rolling them up, and reading what is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import DeliveryState, RunState, UnitKind
from bot.db import runs
from bot.db.session import Tx
from bot.db.sql import insert
from bot.db.tables import Account, Contact, Delivery, Person, Rollup, Run, Unit

CHUNK = 2_000
"""So many deliveries are rolled up in one transaction: some 20 ms on either database."""
_NONE = -1
_REASONS = tuple(Reason)


class Line(NamedTuple):
    """What is left of some deliveries of a run: how many there were. `unit` is the code of a commune, or of the
    province."""

    unit: str | None
    channel: str | None
    state: DeliveryState
    reason: Reason | None
    n: int


async def due(tx: Tx, before: datetime, limit: int) -> list[int]:
    """Runs that were over before that moment and still have deliveries, the oldest first."""
    over = sa.and_(Run.finished_at < before, Run.gather_after.is_(None))
    query = sa.select(Run.id).where(Run.rolled_up_at.is_(None), over)
    return list((await tx.execute(query.order_by(Run.finished_at).limit(limit))).scalars())


async def forgotten(tx: Tx, before: datetime) -> list[int]:
    """Runs that somebody held, or that stopped, and that could not have gone on since before that moment."""
    held = Run.state.in_((RunState.PAUSED, RunState.STOPPED))
    query = sa.select(Run.id).where(held, sa.func.coalesce(Run.valid_until, Run.planned_at) < before)
    return list((await tx.execute(query.order_by(Run.id))).scalars())


async def roll_up(tx: Tx, run_id: int, before: datetime, now: datetime, limit: int = CHUNK) -> bool:
    """Count the next deliveries of a run and remove them, in this one transaction. Returns whether there may be more;
    the last time, the run is marked."""
    run = await runs.get(tx, run_id, lock=True)
    if run is None or run.rolled_up_at is not None or not _is_over(run, before):
        return False
    chunk = await _chunk(tx, run_id, limit)
    if chunk.found:
        await _count(tx, chunk)
        await tx.execute(sa.delete(Delivery).where(chunk.rows).execution_options(synchronize_session=False))
    if chunk.found < limit:
        run.rolled_up_at = now
        await tx.flush()
    return chunk.found == limit


def _is_over(run: Run, before: datetime) -> bool:
    return run.finished_at is not None and run.finished_at < before and run.gather_after is None


class _Chunk(NamedTuple):
    """The ids between which the next deliveries of a run lie, and how many there are."""

    run_id: int
    first: int
    last: int
    first_contact: int
    last_contact: int
    found: int

    @property
    def rows(self) -> sa.ColumnElement[bool]:
        return sa.and_(Delivery.run_id == self.run_id, Delivery.person_id.between(self.first, self.last))


async def _chunk(tx: Tx, run_id: int, limit: int) -> _Chunk:
    mine = sa.select(Delivery.person_id, Delivery.contact_id).where(Delivery.run_id == run_id)
    people = mine.order_by(Delivery.person_id).limit(limit).subquery()
    ends = [end(column) for column in people.c for end in (sa.func.min, sa.func.max)]
    *found, count = (await tx.execute(sa.select(*ends, sa.func.count()).select_from(people))).one()
    first, last, first_contact, last_contact = (id or 0 for id in found)
    return _Chunk(run_id, first, last, first_contact, last_contact, count)


async def _count(tx: Tx, chunk: _Chunk) -> None:
    """Add these deliveries to the counts of their run. A village counts as its commune."""
    commune = sa.case((Unit.kind == UnitKind.VILLAGE, Unit.parent_id), else_=Unit.id)
    keys = (
        Delivery.run_id,
        sa.func.coalesce(commune, 0).label("unit_id"),
        sa.func.coalesce(Account.channel, "").label("channel"),
        Delivery.state,
        sa.func.coalesce(sa.type_coerce(Delivery.reason, sa.SmallInteger), _NONE).label("reason"),
    )
    # the ranges say nothing new: they keep PostgreSQL from reading all people for a few of them
    of_person = sa.and_(Person.id == Delivery.person_id, Person.id.between(chunk.first, chunk.last))
    of_contact = sa.and_(Contact.id == Delivery.contact_id, Contact.id.between(chunk.first_contact, chunk.last_contact))
    counted = (
        sa.select(*keys, sa.func.count().label("n"))
        .outerjoin(Person, of_person)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .outerjoin(Contact, of_contact)
        .outerjoin(Account, Account.id == Contact.account_id)
        .where(chunk.rows)
        .group_by(*keys)
    )
    key = ["run_id", "unit_id", "channel", "state", "reason"]
    statement = insert(tx, Rollup).from_select([*key, "n"], counted)
    more = {"n": Rollup.n + statement.excluded.n}
    await tx.execute(statement.on_conflict_do_update(index_elements=key, set_=more))


async def begun(tx: Tx, run_id: int) -> bool:
    """Whether some deliveries of a run are only counts by now."""
    return bool((await tx.execute(sa.select(sa.exists().where(Rollup.run_id == run_id)))).scalar_one())


async def lines(tx: Tx, run_id: int) -> AsyncIterator[Line]:
    """What is left of a run, by unit, channel, state and reason."""
    query = (
        sa.select(Unit.code, Rollup.channel, Rollup.state, Rollup.reason, Rollup.n)
        .outerjoin(Unit, Unit.id == Rollup.unit_id)
        .where(Rollup.run_id == run_id)
        .order_by(Unit.code, Rollup.channel, Rollup.state, Rollup.reason)
    )
    for unit, channel, state, reason, n in (await tx.execute(query)).all():
        yield Line(unit, channel or None, state, None if reason == _NONE else _REASONS[reason], n)
