"""Queries that give people their delivery: everybody at once, or a stretch of people at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import ContactState, DeliveryState
from bot.db import tally
from bot.db.session import Tx
from bot.db.sql import insert, is_sqlite
from bot.db.tables import Contact, Delivery, Person, Run
from bot.db.tally import NOBODY, Changes

_COLUMNS = (Delivery.state, Delivery.reason)
Counted = dict[tuple[DeliveryState, Reason | None], int]


class Stretch(NamedTuple):
    """The people whose id is above `after`, up to and with `until`."""

    after: int
    until: int


async def newest(tx: Tx) -> int:
    """The id of whoever came last; 0 if there is nobody."""
    return (await tx.execute(sa.select(sa.func.coalesce(sa.func.max(Person.id), 0)))).scalar_one()


async def stretch(tx: Tx, left: Stretch, people: int) -> Stretch:
    """The first so many people of a stretch, whoever they are."""
    query = sa.select(Person.id).where(Person.id > left.after, Person.id < left.until).order_by(Person.id)
    last = (await tx.execute(query.offset(people - 1).limit(1))).scalar_one_or_none()
    return Stretch(left.after, left.until if last is None else last)


async def materialise(
    tx: Tx,
    run: Run,
    people: sa.ColumnElement[bool],
    now: datetime,
    *,
    skip: sa.ColumnElement[bool] | None = None,
) -> int:
    """One row a person, in one statement: waiting where there is an open contact, skipped with the reason elsewhere.
    People in `skip` have had their share. Returns how many rows there are."""
    run.total = await gather(tx, run.id, people, Stretch(0, await newest(tx)), skip=skip)
    run.materialised_at = now
    return run.total


async def gather(
    tx: Tx,
    run_id: int,
    people: sa.ColumnElement[bool],
    among: Stretch,
    *,
    skip: sa.ColumnElement[bool] | None = None,
    over: Reason | None = None,
) -> int:
    """The same for a stretch of people who have no row yet; all are skipped with the reason `over`, if given. Returns
    how many rows were made."""
    can_reach = sa.exists().where(Contact.person_id == Person.id, Contact.state == ContactState.OPEN)
    why = [(~can_reach, sa.literal(Reason.NO_ROUTE, Delivery.reason.type))]
    if skip is not None:
        why.append((skip, sa.literal(Reason.CAPPED, Delivery.reason.type)))
    reason = sa.case(*why, else_=None) if over is None else sa.literal(over, Delivery.reason.type)
    of = sa.and_(Person.id > among.after, Person.id <= among.until)
    chosen = sa.select(Person.id.label("person_id"), reason.label("reason")).where(of, people).order_by(Person.id)
    # the limit changes nothing but that the reason is found once and not for each column that needs it
    found = chosen.limit(among.until - among.after).subquery()
    state = sa.case(
        (found.c.reason.is_(None), sa.literal(DeliveryState.WAITING, Delivery.state.type)),
        else_=sa.literal(DeliveryState.SKIPPED, Delivery.state.type),
    )
    rows = sa.select(sa.literal(run_id), found.c.person_id, state, found.c.reason)
    columns = ["run_id", "person_id", "state", "reason"]
    # "ON CONFLICT" after SELECT needs a WHERE on SQLite to be told from a join
    statement = insert(tx, Delivery).from_select(columns, rows.where(sa.true())).on_conflict_do_nothing()
    made = await _insert(tx, statement, run_id, among)
    changes = Changes()
    for (is_now, because), n in made.items():
        changes.add(run_id, NOBODY, is_now, n, because)
    await tally.apply(tx, changes)
    return sum(made.values())


async def _insert(tx: Tx, statement: sa.Insert, run_id: int, among: Stretch) -> Counted:
    """Run the statement and count what it made. SQLite cannot count what a statement returns, but nobody else writes
    there meanwhile."""
    if not is_sqlite(tx):
        made = statement.returning(*_COLUMNS).cte("made")
        query = sa.select(made.c.state, made.c.reason, sa.func.count()).group_by(made.c.state, made.c.reason)
        return _counted((await tx.execute(query)).all())
    before = await _rows(tx, run_id, among)
    await tx.execute(statement)
    after = await _rows(tx, run_id, among)
    return {key: n - before.get(key, 0) for key, n in after.items()}


async def _rows(tx: Tx, run_id: int, among: Stretch) -> Counted:
    of = sa.and_(Delivery.run_id == run_id, Delivery.person_id > among.after, Delivery.person_id <= among.until)
    return _counted((await tx.execute(sa.select(*_COLUMNS, sa.func.count()).where(of).group_by(*_COLUMNS))).all())


def _counted(rows: Sequence[Any]) -> Counted:
    return {(state, reason): n for state, reason, n in rows}
