"""Queries about curricula: which tip on which day, and who is due for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from bot.core.words import ContactState, PersonStatus, TargetGroup
from bot.db import bulk
from bot.db.session import Tx
from bot.db.sql import insert, is_sqlite
from bot.db.tables import Contact, Lesson, Person


@dataclass(frozen=True, slots=True)
class Slot:
    """One hour of one local day."""

    day: date
    hour: int


_GROUPS = tuple(TargetGroup)


class Standing(NamedTuple):
    """What decides about the next tip of people (and groups) whose hour has come."""

    group: TargetGroup
    day: int
    """Of the curriculum, from 0."""
    seen: frozenset[str]
    """Tips that they had in another curriculum."""
    can_reach: bool
    in_time: bool
    """Whether they were there when the hour came."""


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


async def take_due(tx: Tx, slot: Slot, known_by: datetime, limit: int) -> dict[Standing, list[int]]:
    """Some of the people who are due, locked; on PostgreSQL not those whom another transaction holds just now. Who has
    been moved on is due no more, so the same question finds the next ones."""
    if not is_sqlite(tx):  # what PostgreSQL knows about a table that changes by the thousand is always out of date
        await tx.execute(sa.text("SET LOCAL enable_seqscan = off"))
    connection = await tx.connection()
    alike: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for had in (Person.tipped_on.is_(None), Person.tipped_on < slot.day):
        left = limit - sum(map(len, alike.values()))
        if left > 0:
            for row in await connection.execute(_due(slot, known_by).where(had).limit(left)):
                alike[row[1:]].append(row[0])
    return {_standing(*row): ids for row, ids in alike.items()}


def _due(slot: Slot, known_by: datetime) -> sa.Select[int, int, int, str, bool, bool]:
    """Codes and JSON are left as they stand: they are read once for all who are alike. The limit on the contacts keeps
    PostgreSQL from reading all of them at once."""
    way = sa.select(Contact.id).where(Contact.person_id == Person.id, Contact.state == ContactState.OPEN).limit(1)
    return (
        sa.select(
            Person.id,
            sa.type_coerce(Person.target_group, sa.Integer),
            Person.tip_day,
            sa.cast(Person.tips_seen, sa.Text),
            way.scalar_subquery().is_not(None),
            Person.created_at <= known_by,
        )
        .where(_at_hour(slot), Person.target_group.is_not(None))
        .with_for_update(of=Person, skip_locked=True)
    )


def _standing(group: int, day: int, seen: str | None, can_reach: bool, in_time: bool) -> Standing:
    return Standing(_GROUPS[group], day, frozenset(orjson.loads(seen or "[]")), can_reach, in_time)


async def move_on(tx: Tx, days: Mapping[int, Sequence[int]], on: date) -> None:
    """Put people, by id, on days of their curriculum; their next tip does not come before tomorrow."""
    ids = [id for people in days.values() for id in people]
    at = [day for day, people in days.items() for _ in people]
    await bulk.update(tx, Person, ("id", ids), {"tip_day": at}, {"tipped_on": on})
