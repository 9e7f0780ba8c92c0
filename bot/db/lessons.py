"""Queries about curricula: which tip on which day, who is due for one, and who has had it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from bot.core.words import CampaignKind, PersonStatus, TargetGroup
from bot.db.session import Tx
from bot.db.sql import changed, insert
from bot.db.tables import Campaign, Delivery, Lesson, Person, Run


@dataclass(frozen=True, slots=True)
class Slot:
    """One hour of one local day."""

    day: date
    hour: int


async def everything(tx: Tx) -> dict[TargetGroup, list[str]]:
    """The tips of each group, day by day from day 0."""
    found: dict[TargetGroup, list[str]] = {group: [] for group in TargetGroup}
    query = sa.select(Lesson.target_group, Lesson.tip).order_by(Lesson.target_group, Lesson.day)
    for group, tip in (await tx.execute(query)).all():
        found[group].append(tip)
    return found


async def append(tx: Tx, group: TargetGroup, first_day: int, tips: Sequence[str]) -> None:
    """Add days to a curriculum; a day that is there already keeps its tip."""
    rows = [{"target_group": group, "day": first_day + i, "tip": tip} for i, tip in enumerate(tips)]
    if rows:
        await tx.execute(insert(tx, Lesson).values(rows).on_conflict_do_nothing())


def _at_hour(slot: Slot) -> sa.ColumnElement[bool]:
    return sa.and_(Person.status == PersonStatus.ACTIVE, Person.tip_hour == slot.hour)


async def any_due(tx: Tx, slot: Slot) -> bool:
    """Whether anybody is due at all. Asked every minute, so each half of the question is one look into the index."""
    for had in (Person.tipped_on.is_(None), Person.tipped_on < slot.day):
        if (await tx.execute(sa.select(sa.exists().where(_at_hour(slot), had)))).scalar_one():
            return True
    return False


def due(slot: Slot, group: TargetGroup | None = None, day: int | None = None) -> sa.ColumnElement[bool]:
    """People (and groups) whose hour that is and who have had nothing on that day; of a group on a day of its
    curriculum, if given."""
    terms = [_at_hour(slot), sa.or_(Person.tipped_on.is_(None), Person.tipped_on < slot.day)]
    if group is not None:
        terms.append(Person.target_group == group)
    if day is not None:
        terms.append(Person.tip_day == day)
    return sa.and_(*terms)


async def positions(tx: Tx, slot: Slot, known_by: datetime | None = None) -> dict[tuple[TargetGroup, int], int]:
    """How many people are due, by group and day of the curriculum. `known_by` leaves out who came later."""
    query = (
        sa.select(Person.target_group, Person.tip_day, sa.func.count())
        .where(due(slot), Person.target_group.is_not(None))
        .group_by(Person.target_group, Person.tip_day)
        .order_by(Person.target_group, Person.tip_day)
    )
    if known_by is not None:
        query = query.where(Person.created_at <= known_by)
    return {(group, day): n for group, day, n in (await tx.execute(query)).all() if group is not None}


async def skip_to(tx: Tx, slot: Slot, group: TargetGroup, day: int, to: int) -> None:
    """Move everybody who is due on a day that can no longer be taught to another day."""
    await tx.execute(sa.update(Person).where(due(slot, group, day)).values(tip_day=to))


async def with_past(tx: Tx, slot: Slot) -> list[Person]:
    """Due people who have had tips of another curriculum."""
    query = sa.select(Person).where(due(slot), Person.tips_seen.is_not(None)).order_by(Person.id)
    return list((await tx.execute(query)).scalars())


async def advance(tx: Tx, run_id: int, on: date) -> int:
    """Everybody in the run has had this day's tip. Returns how many."""
    mine = sa.select(Delivery.person_id).where(Delivery.run_id == run_id)
    change = {"tip_day": Person.tip_day + 1, "tipped_on": on}
    statement = sa.update(Person).where(Person.id.in_(mine)).values(change)
    return await changed(tx, statement.execution_options(synchronize_session=False))


async def pass_over(tx: Tx, slot: Slot, group: TargetGroup, day: int) -> int:
    """Nothing for those who are due on that day: their next tip comes tomorrow. Returns how many."""
    statement = sa.update(Person).where(due(slot, group, day)).values(tipped_on=slot.day)
    return await changed(tx, statement.execution_options(synchronize_session=False))


async def latest_slot(tx: Tx) -> datetime | None:
    """The latest moment for which tips were planned or marked missed."""
    query = sa.select(sa.func.max(Run.planned_at)).join(Campaign).where(Campaign.kind == CampaignKind.TIP)
    return (await tx.execute(query)).scalar_one()


async def campaign(tx: Tx, item_id: int, audience: str, now: datetime) -> Campaign:
    """The campaign that carries a tip to an audience, made if need be."""
    query = sa.select(Campaign).where(
        Campaign.fingerprint == audience, Campaign.kind == CampaignKind.TIP, Campaign.item_id == item_id
    )
    found = (await tx.execute(query.order_by(Campaign.id).limit(1))).scalar_one_or_none()
    if found is None:
        found = Campaign(
            kind=CampaignKind.TIP, item_id=item_id, audience=audience, fingerprint=audience, created_at=now
        )
        tx.add(found)
        await tx.flush()
    return found
