"""Queries about the daily question: how far an hour's round is, who is to be asked, and writing down that they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.core.words import ContactState, DeliveryState, PersonKind, PersonStatus, TargetGroup
from bot.db import bulk, gathering
from bot.db.gathering import Stretch
from bot.db.session import Tx
from bot.db.sql import Unindexed, insert, is_sqlite
from bot.db.tables import Contact, Delivery, Person
from bot.db.tables_practice import Learner, Practice, PracticeRound


class Waiting(NamedTuple):
    """What decides about the question for somebody: how far they are with their tips, and with their practice."""

    person_id: int
    group: TargetGroup
    day: int
    """Of the curriculum: so many tips were planned for them."""
    tipped_on: date | None
    tip: str | None
    """What they were asked about last."""
    is_open: bool
    wanted: bool
    asked_on: date | None
    ignored: int
    passed_by: bool
    """Whether the latest daily question reached them and was not answered."""


async def is_left(tx: Tx, hour: int, day: date) -> bool:
    """Whether that day's round of an hour has not come to its end."""
    found = await tx.get(PracticeRound, hour)
    return found is None or found.day < day or found.after < found.until


async def locked(tx: Tx, hour: int, day: date) -> PracticeRound:
    """That day's round of an hour, begun if need be; nobody else goes on with it until the transaction ends."""
    row = {"hour": hour, "day": day, "after": 0, "until": await gathering.newest(tx)}
    statement = insert(tx, PracticeRound).values(row)
    other_day = PracticeRound.day < day
    begin = statement.on_conflict_do_update(index_elements=["hour"], set_=row, where=other_day)
    await tx.execute(begin)
    return await tx.get_one(PracticeRound, hour, with_for_update=True, populate_existing=True)


def _among(column: sa.orm.InstrumentedAttribute[int], among: Stretch) -> sa.ColumnElement[bool]:
    return sa.and_(column > among.after, column <= among.until)


async def waiting(tx: Tx, among: Stretch, hours: tuple[int, int], heard_since: Mapping[int, datetime]) -> list[Waiting]:
    """Those of a stretch who want their tip between those hours and may be written to, by id; they stay as they are
    until the transaction ends. On the accounts in `heard_since` that is whoever was heard since then."""
    of = sa.and_(
        _among(Person.id, among),
        Unindexed(Person.status) == PersonStatus.ACTIVE,
        Unindexed(Person.tip_hour).between(*hours),
        Person.kind == PersonKind.HUMAN,
        Person.target_group.is_not(None),
    )
    if not is_sqlite(tx):  # first the lock: what is read afterwards is what it keeps
        await tx.execute(sa.select(Person.id).where(of).order_by(Person.id).with_for_update(key_share=True))
    rows = await (await tx.connection()).execute(_waiting(heard_since).where(of).order_by(Person.id))
    return [Waiting._make(row) for row in rows]


def _waiting(heard_since: Mapping[int, datetime]) -> sa.Select[*tuple[Any, ...]]:
    free = sa.or_(
        Contact.account_id.not_in(list(heard_since)),
        *(sa.and_(Contact.account_id == id, Contact.last_in_at >= moment) for id, moment in heard_since.items()),
    )
    way = sa.exists().where(Contact.person_id == Person.id, Contact.state == ContactState.OPEN, free)
    # one look into the index a person: joined, PostgreSQL might read the deliveries of all runs
    latest = (
        sa.select(Delivery.state)
        .where(Delivery.run_id == Learner.run_id, Delivery.person_id == Person.id)
        .scalar_subquery()
    )
    return (
        sa.select(
            Person.id,
            Person.target_group,
            Person.tip_day,
            Person.tipped_on,
            Learner.tip,
            sa.func.coalesce(Learner.is_open, sa.false()),
            sa.func.coalesce(Learner.wanted, sa.true()),
            Learner.asked_on,
            sa.func.coalesce(Learner.ignored, 0),
            sa.func.coalesce(latest.in_((DeliveryState.SENT, DeliveryState.UNKNOWN)), sa.false()),
        )
        .outerjoin(Learner, Learner.person_id == Person.id)
        .where(way)
    )


async def due(tx: Tx, among: Stretch, day: date) -> dict[int, list[str]]:
    """What is to be asked again, of each person of a stretch, the longest due first."""
    query = sa.select(Practice.person_id, Practice.tip).where(_among(Practice.person_id, among), Practice.due_on <= day)
    found: defaultdict[int, list[str]] = defaultdict(list)
    for person_id, tip in await (await tx.connection()).execute(
        query.order_by(Practice.person_id, Practice.due_on, Practice.tip)
    ):
        found[person_id].append(tip)
    return found


async def answered(tx: Tx, pairs: Sequence[tuple[int, str]]) -> set[tuple[int, str]]:
    """Those of the people and tips that belong to an answer."""
    if not pairs:
        return set()
    asked = bulk.given(tx, {"person_id": Practice.person_id, "tip": Practice.tip}, pairs)
    same = sa.and_(Practice.person_id == asked.c.person_id, Practice.tip == asked.c.tip)
    found = await (await tx.connection()).execute(sa.select(Practice.person_id, Practice.tip).join(asked, same))
    return {(person_id, tip) for person_id, tip in found}


async def asked(tx: Tx, day: date, rows: Iterable[tuple[int, str, int, int]]) -> None:
    """Write down for each of these people, by id, the tip that they are asked about, the run that brings it, and how
    many daily questions they have passed by."""
    named = {
        "person_id": Learner.person_id,
        "tip": Learner.tip,
        "run_id": Learner.run_id,
        "ignored": Learner.ignored,
    }
    given = bulk.given(tx, named, list(rows))
    same = {
        "wanted": sa.true(),
        "is_open": sa.true(),
        "streak": sa.literal(0),
        "asked_on": sa.literal(day, sa.Date()),
    }
    values = sa.select(*(given.c[name] for name in named), *same.values())
    # "ON CONFLICT" after SELECT needs a WHERE on SQLite to be told from a join
    statement = insert(tx, Learner).from_select([*named, *same], values.where(sa.true()))
    new = statement.excluded
    change = {name: new[name] for name in ("tip", "run_id", "is_open", "asked_on")}
    # an answer that came meanwhile has forgotten the run: nothing was passed by
    change["ignored"] = sa.case((Learner.run_id.is_(None), 0), else_=new["ignored"])
    await tx.execute(statement.on_conflict_do_update(index_elements=["person_id"], set_=change))
