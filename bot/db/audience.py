"""Audiences as SQL: which people an expression names. The expression itself is read in `bot.outreach.audience`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from bot.core.events import ChatKind
from bot.core.words import (
    CampaignKind,
    ContactState,
    DeliveryState,
    PersonKind,
    PersonStatus,
    RoleName,
    TargetGroup,
)
from bot.db.deliveries import SPENT, heard_since
from bot.db.gathering import Stretch
from bot.db.session import Tx
from bot.db.sql import Unindexed
from bot.db.tables import Account, Campaign, Contact, Delivery, Person, Referral, Role, Rsvp, Run, Unit
from bot.db.traffic_rows import Way


class Atom(StrEnum):
    """The words before the colon."""

    ALL = "all"
    UNIT = "unit"
    GROUP = "group"
    CHANNEL = "channel"
    ROLE = "role"
    PERSON = "person"
    CIRCLE = "circle"
    CHATS = "chats"
    GOING = "going"


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: `unit:18859`, `group:elderly`, `all`."""

    atom: Atom
    value: str = ""


Condition = sa.ColumnElement[bool]
"""Which people: understood by queries alone."""

Expression = tuple[tuple[Term, ...], ...]
"""Alternatives (`,`) of conditions that must hold together (`+`)."""


def condition(expression: Expression) -> sa.ColumnElement[bool]:
    """The people that the expression names, among those who may be written to: active humans who have agreed,
    and groups in which the bot is, when they are named themselves."""
    return sa.or_(*(sa.and_(*(_term(t) for t in all_of)) for all_of in expression))


def _term(term: Term) -> sa.ColumnElement[bool]:
    if term.atom is Atom.CHATS:
        mine = sa.select(Contact.person_id).where(
            Contact.added_by_id == int(term.value), Contact.kind == ChatKind.GROUP
        )
        told_to_stop = Person.status == PersonStatus.STOPPED
        return sa.and_(Person.kind == PersonKind.GROUP, ~told_to_stop, Person.id.in_(mine))
    # nearly everybody is active: what tells people apart is the unit, the group, the role
    human = sa.and_(Person.kind == PersonKind.HUMAN, Unindexed(Person.status) == PersonStatus.ACTIVE)
    return sa.and_(human, _human(term))


def _human(term: Term) -> sa.ColumnElement[bool]:  # one line a word reads best
    match term.atom:
        case Atom.UNIT:
            path = sa.select(Unit.path).where(Unit.code == term.value).scalar_subquery()
            # not LIKE: codes may hold an underscore, which would match any letter
            below = sa.select(Unit.id).where(sa.func.substr(Unit.path, 1, sa.func.length(path)) == path)
            return Person.unit_id.in_(below)
        case Atom.GROUP:
            return Person.target_group == TargetGroup(term.value)
        case Atom.CHANNEL:
            on = sa.select(Contact.person_id).join(Account, Account.id == Contact.account_id)
            return Person.id.in_(on.where(Account.channel == term.value, Contact.state == ContactState.OPEN))
        case Atom.ROLE:
            return Person.id.in_(sa.select(Role.person_id).where(Role.role == RoleName(term.value)))
        case Atom.PERSON:
            return Person.id == int(term.value)
        case Atom.CIRCLE:
            return Person.id.in_(sa.select(Referral.person_id).where(Referral.by_id == int(term.value)))
        case Atom.GOING:
            going = sa.select(Rsvp.person_id).where(Rsvp.event_id == int(term.value), Rsvp.going.is_(True))
            return Person.id.in_(going)
        case _:
            return sa.true()


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a run would reach: `total` people, of whom `by_channel` can be written to now; `kept` get it when they next
    write, the rest has no open contact; `capped` have had their share of broadcasts."""

    total: int
    by_channel: dict[str, int]
    capped: int = 0
    kept: int = 0

    @property
    def reachable(self) -> int:
        return sum(self.by_channel.values())

    @property
    def unreachable(self) -> int:
        return self.total - self.reachable - self.kept


async def reach(tx: Tx, expression: Expression, ways: Sequence[Way] | None = None) -> Reach:
    """Count an audience. A person with several addresses counts once, on the way that a run would take; without `ways`
    on the first channel by name."""
    people = condition(expression)
    total = (await tx.execute(sa.select(sa.func.count()).select_from(Person).where(people))).scalar_one()
    if ways is None:
        return Reach(total, await _by_first_channel(tx, people))
    open_now = [Contact.person_id == Person.id, Contact.state == ContactState.OPEN]
    ours = Contact.account_id.in_([way.account_id for way in ways])
    reached, best = _best(ways)
    found = (
        sa.select(sa.func.min(sa.case((reached, best), else_=None)).label("best"))
        .select_from(Person)
        .join(Contact, sa.and_(*open_now, ours))
        .where(people)
        .group_by(Person.id)
        .subquery()
    )
    rows = (await tx.execute(sa.select(found.c.best, sa.func.count()).group_by(found.c.best))).all()
    channels = await _channels_of(tx, ways)
    by_channel: dict[str, int] = {}
    for score, count in rows:
        if score is not None:
            channel = channels[score % _PREFERRED]
            by_channel[channel] = by_channel.get(channel, 0) + count
    return Reach(total, by_channel, kept=sum(count for score, count in rows if score is None))


_PREFERRED = 1000


def _best(ways: Sequence[Way]) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[int]]:
    """Whether a way may be taken to a contact now, and how good it is: the least is the best."""
    reached = [
        sa.and_(Contact.account_id == way.account_id, heard_since(way.since))
        if way.since
        else Contact.account_id == way.account_id
        for way in ways
        if way.since < SPENT
    ]
    rank = sa.case(*((Contact.account_id == way.account_id, way.rank) for way in ways), else_=_PREFERRED - 1)
    preferred = sa.case((Contact.preferred, 0), else_=_PREFERRED)
    return sa.or_(sa.false(), *reached), rank + preferred


async def _channels_of(tx: Tx, ways: Sequence[Way]) -> dict[int, str]:
    """By rank."""
    rows = await tx.execute(sa.select(Account.id, Account.channel))
    by_id: dict[int, str] = {row.id: row.channel for row in rows}
    return {way.rank: by_id[way.account_id] for way in ways}


async def _by_first_channel(tx: Tx, people: Condition) -> dict[str, int]:
    first = (
        sa.select(sa.func.min(Account.channel).label("channel"))
        .select_from(Person)
        .join(Contact, sa.and_(Contact.person_id == Person.id, Contact.state == ContactState.OPEN))
        .join(Account, Account.id == Contact.account_id)
        .where(people)
        .group_by(Person.id)
        .subquery()
    )
    rows = (await tx.execute(sa.select(first.c.channel, sa.func.count()).group_by(first.c.channel))).all()
    return {row[0]: row[1] for row in rows}


_HEARD = (DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.SENDING, DeliveryState.WAITING)


def capped(
    day_start: datetime, week_start: datetime, per_day: int, per_week: int, among: Stretch | None = None
) -> sa.ColumnElement[bool]:
    """People who have had as many broadcasts as one may push to a person in a day and in seven days. With `among` only
    the people of that stretch are looked at."""
    return sa.or_(
        Person.id.in_(_heard_since(day_start, per_day, among)), Person.id.in_(_heard_since(week_start, per_week, among))
    )


def _heard_since(start: datetime, at_most: int, among: Stretch | None) -> sa.Select[int]:
    """People to whom at least `at_most` broadcasts went since `start`."""
    runs = (
        sa.select(Run.id)
        .join(Campaign, Campaign.id == Run.campaign_id)
        .where(Campaign.kind == CampaignKind.BROADCAST, Campaign.urgent.is_(False), Run.materialised_at >= start)
    )
    of: sa.ColumnElement[bool] = sa.true()
    if among is not None:
        of = sa.and_(Delivery.person_id > among.after, Delivery.person_id <= among.until)
    return (
        sa.select(Delivery.person_id)
        .where(Delivery.run_id.in_(runs), of, Delivery.state.in_(_HEARD))
        .group_by(Delivery.person_id)
        .having(sa.func.count() >= at_most)
    )


async def count(tx: Tx, people: Sequence[sa.ColumnElement[bool]]) -> int:
    return (await tx.execute(sa.select(sa.func.count()).select_from(Person).where(*people))).scalar_one()
