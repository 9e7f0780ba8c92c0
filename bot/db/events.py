"""Queries about events: what takes place where, and who comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.core.words import CampaignKind, RunState
from bot.db.session import Tx
from bot.db.sql import insert
from bot.db.tables import Campaign, Event, Rsvp, Run, Unit

_WAITING = (RunState.PLANNED, RunState.PAUSED, RunState.SENDING, RunState.STOPPED)


@dataclass(frozen=True, slots=True)
class Answers:
    """How many have said that they come, and that they do not."""

    going: int
    not_going: int


async def add(
    tx: Tx,
    now: datetime,
    *,
    item_id: int,
    unit_id: int,
    title: str,
    place: str,
    description: str,
    starts_at: datetime,
    author_id: int | None,
) -> Event:
    event = Event(
        item_id=item_id,
        unit_id=unit_id,
        title=title,
        place=place,
        description=description,
        starts_at=starts_at,
        author_id=author_id,
        created_at=now,
    )
    tx.add(event)
    await tx.flush()
    return event


async def get(tx: Tx, event_id: int, *, lock: bool = False) -> Event | None:
    return await tx.get(Event, event_id, with_for_update=lock or None, populate_existing=lock)


async def of_item(tx: Tx, item_id: int) -> Event | None:
    """The event that an item announces."""
    return (await tx.execute(sa.select(Event).where(Event.item_id == item_id))).scalars().first()


async def cancel(tx: Tx, event_id: int, now: datetime) -> None:
    """It does not take place; the first time counts."""
    called_off = sa.update(Event).where(Event.id == event_id, Event.cancelled_at.is_(None)).values(cancelled_at=now)
    await tx.execute(called_off)


async def answer(tx: Tx, event_id: int, person_id: int, going: bool, now: datetime) -> None:
    """Say whether a person comes; a later answer replaces an earlier one."""
    row = {"event_id": event_id, "person_id": person_id, "going": going, "at": now}
    statement = insert(tx, Rsvp).values(row)
    keys = ["event_id", "person_id"]
    await tx.execute(statement.on_conflict_do_update(index_elements=keys, set_={"going": going, "at": now}))


async def answer_of(tx: Tx, event_id: int, person_id: int) -> bool | None:
    """Whether that person comes; `None` if they have not said."""
    found = await tx.get(Rsvp, (event_id, person_id), populate_existing=True)
    return found.going if found else None


async def answers(tx: Tx, event_id: int) -> Answers:
    query = sa.select(Rsvp.going, sa.func.count()).where(Rsvp.event_id == event_id).group_by(Rsvp.going)
    counted = {bool(row[0]): int(row[1]) for row in (await tx.execute(query)).all()}
    return Answers(counted.get(True, 0), counted.get(False, 0))


async def coming(tx: Tx, paths: Sequence[str], now: datetime, limit: int) -> list[Event]:
    """Events still to come in units on the way from the root to one of `paths` and below it, the next one first."""
    near = sa.or_(*(_near(path) for path in paths))
    query = (
        sa.select(Event)
        .join(Unit, Unit.id == Event.unit_id)
        .where(near, Event.starts_at > now, Event.cancelled_at.is_(None))
        .order_by(Event.starts_at, Event.id)
        .limit(limit)
    )
    return list((await tx.execute(query)).scalars())


def _near(path: str) -> sa.ColumnElement[bool]:
    above = Unit.code.in_(path.strip("/").split("/"))
    return sa.or_(above, Unit.path.startswith(path, autoescape=True))


async def to_remind(tx: Tx, now: datetime, until: datetime) -> list[Event]:
    """Events that take place between `now` and `until`."""
    query = sa.select(Event).where(Event.starts_at > now, Event.starts_at <= until, Event.cancelled_at.is_(None))
    return list((await tx.execute(query.order_by(Event.starts_at, Event.id))).scalars())


async def campaign_of(tx: Tx, event_id: int, kind: CampaignKind) -> Campaign | None:
    """The first campaign of that kind about the event."""
    query = sa.select(Campaign).where(Campaign.event_id == event_id, Campaign.kind == kind).order_by(Campaign.id)
    return (await tx.execute(query.limit(1))).scalar_one_or_none()


async def open_runs(tx: Tx, event_id: int) -> list[Run]:
    """Runs about the event that have not ended, locked: announcements, reminders, what was carried on."""
    mine = sa.select(Campaign.id).where(Campaign.event_id == event_id)
    query = sa.select(Run).where(Run.campaign_id.in_(mine), Run.state.in_(_WAITING)).order_by(Run.id)
    return list((await tx.execute(query.with_for_update())).scalars())
