"""Queries about practice: how far somebody is, what they answered, how a unit does, and making two people one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from bot.core.words import UnitKind
from bot.db.session import Tx
from bot.db.sql import changed, insert
from bot.db.tables import Person, Unit
from bot.db.tables_practice import Learner, Practice


async def learner(tx: Tx, person_id: int) -> Learner | None:
    """How far somebody is."""
    return await tx.get(Learner, person_id)


async def locked(tx: Tx, person_id: int) -> Learner:
    """The same, made if need be; nobody else answers for them until the transaction ends."""
    row = {"person_id": person_id, "wanted": True, "is_open": False, "ignored": 0, "streak": 0}
    await tx.execute(insert(tx, Learner).values(row).on_conflict_do_nothing(index_elements=["person_id"]))
    return await tx.get_one(Learner, person_id, with_for_update=True, populate_existing=True)


async def answered(tx: Tx, person_id: int, tip: str) -> Practice | None:
    """How somebody answered the question of a tip."""
    return await tx.get(Practice, (person_id, tip), populate_existing=True)


async def put(tx: Tx, row: Practice) -> None:
    """Write an answer down in the place of an earlier one."""
    await tx.merge(row)
    await tx.flush()


async def everything(tx: Tx, person_id: int) -> list[Practice]:
    """All that somebody has answered, the longest ago first."""
    query = sa.select(Practice).where(Practice.person_id == person_id).order_by(Practice.at, Practice.tip)
    return list((await tx.execute(query)).scalars())


async def count(tx: Tx, person_id: int) -> int:
    """To how many questions somebody's answers are kept."""
    query = sa.select(sa.func.count()).select_from(Practice).where(Practice.person_id == person_id)
    return (await tx.execute(query)).scalar_one()


async def drop_older(tx: Tx, than: datetime) -> int:
    """Forget what was answered so long ago."""
    return await changed(tx, sa.delete(Practice).where(Practice.at < than))


MOST = 20_000
"""So many answers are looked at for a province, the newest: all of them would keep everybody else waiting."""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """How the people of a unit do: how many answered, how many questions, and how many of these were never wrong;
    `missed` are the tips whose questions were, the most often wrong first, then by name."""

    people: int
    questions: int
    clean: int
    missed: Sequence[str]


async def of_unit(tx: Tx, unit: Unit, since: datetime) -> Reckoned:
    """The answers of the people who live in the unit and below it. Nobody can be told from the others by it."""
    of = _answers(unit, since).subquery()
    wrong = of.c.wrong_at >= since
    totals = sa.select(
        sa.func.count(of.c.person_id.distinct()), sa.func.count(), sa.func.sum(sa.case((wrong, 1), else_=0))
    )
    people, questions, missed = (await tx.execute(totals)).one()
    worst = sa.select(of.c.tip).where(wrong).group_by(of.c.tip).order_by(sa.func.count().desc(), of.c.tip)
    tips = (await tx.execute(worst.limit(5))).scalars()
    return Reckoned(people, questions, questions - int(missed or 0), tuple(tips))


def _answers(unit: Unit, since: datetime) -> sa.Select[int, str, datetime | None]:
    """A province is everybody, so its newest answers are found by their time alone."""
    found = sa.select(Practice.person_id, Practice.tip, Practice.wrong_at).where(Practice.at >= since)
    if unit.kind is UnitKind.PROVINCE:
        return found.order_by(Practice.at.desc()).limit(MOST)
    # not LIKE: codes may hold an underscore, which would match any letter
    units = sa.select(Unit.id).where(sa.func.substr(Unit.path, 1, len(unit.path)) == unit.path)
    return found.join(Person, sa.and_(Person.id == Practice.person_id, Person.unit_id.in_(units)))


async def merge(tx: Tx, old: int, new: int) -> None:
    """What two people answered is what one answered: of the same question, later. Nobody is asked twice on a day, and
    whoever did not want to be asked on one side is not."""
    other = sa.orm.aliased(Practice)
    again = sa.and_(other.tip == Practice.tip, other.person_id.in_((old, new)), other.person_id != Practice.person_id)
    earlier = sa.exists().where(again, other.at > Practice.at)
    same = sa.exists().where(again, other.person_id == new)
    for which in (
        sa.and_(Practice.person_id.in_((old, new)), earlier),
        sa.and_(Practice.person_id == old, same),
    ):
        await tx.execute(sa.delete(Practice).where(which).execution_options(synchronize_session=False))
    both = [await tx.get(Learner, id, populate_existing=True) for id in (old, new)]
    if both[0] is not None and both[1] is not None:
        _unite(both[0], both[1])
        await tx.delete(both[0])
        await tx.flush()


def _unite(loser: Learner, survivor: Learner) -> None:
    days = [day for day in (survivor.asked_on, loser.asked_on) if day is not None]
    survivor.asked_on = max(days, default=None)
    survivor.wanted = survivor.wanted and loser.wanted
    survivor.ignored = min(survivor.ignored, loser.ignored)
    best = max((survivor, loser), key=lambda one: (one.streak_on or date.min, one.streak))
    survivor.streak, survivor.streak_on = best.streak, best.streak_on
