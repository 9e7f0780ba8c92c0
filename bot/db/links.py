"""Queries about one person on several channels: codes that link them, making two people one and one two."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import CampaignKind, CampaignState, DeliveryState
from bot.db import practice, tally
from bot.db.runs import HELD, LIVE
from bot.db.session import Tx
from bot.db.sql import changed, insert
from bot.db.tables import (
    Campaign,
    Contact,
    Delivery,
    Event,
    Invite,
    Item,
    LinkCode,
    Person,
    Referral,
    Relay,
    Role,
    Rsvp,
    Run,
)
from bot.db.tables_practice import Learner, Practice
from bot.db.tables_questions import LocalEntry, Question
from bot.db.tally import NOBODY, Changes

FOLLOW = (
    Contact.person_id,
    Contact.added_by_id,
    Item.author_id,
    Event.author_id,
    Campaign.author_id,
    Campaign.decided_by_id,
    Invite.person_id,
    Relay.person_id,
    Referral.by_id,
    Question.answered_by_id,
    LocalEntry.author_id,
    LocalEntry.decided_by_id,
)
"""What goes over to the other person as it is."""
ONCE = (Role.person_id, Rsvp.person_id, Referral.person_id, Practice.person_id, Learner.person_id)
"""What goes over unless the other person has the same already: see `_settle_doubles`."""
REACHED = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
"""Something has left, or may have."""
DAILY = (CampaignKind.TIP, CampaignKind.PRACTICE)
"""Of these nobody gets two on a day."""
_WRONG = "wrong "
"""Begins rows that stand for a wrong code: no code has a space."""


async def put(tx: Tx, contact_id: int, code: str, until: datetime) -> bool:
    """The one open code of a contact. False if the code is taken."""
    await drop_codes(tx, [contact_id])
    row = {"code": code, "contact_id": contact_id, "expires_at": until}
    return bool(await changed(tx, insert(tx, LinkCode).values(row).on_conflict_do_nothing()))


async def issuer(tx: Tx, code: str, now: datetime) -> Contact | None:
    """Whose code that is, while it is good. The code stays locked until the transaction ends: nobody else uses it."""
    good = sa.select(LinkCode.contact_id).where(LinkCode.code == code, LinkCode.expires_at > now)
    contact_id = (await tx.execute(good.with_for_update())).scalar_one_or_none()
    return None if contact_id is None else await tx.get(Contact, contact_id)


async def drop_codes(tx: Tx, contact_ids: Sequence[int]) -> None:
    """These contacts' open codes are worth nothing any more; wrong tries stay remembered."""
    of_them = LinkCode.contact_id.in_(contact_ids)
    await tx.execute(sa.delete(LinkCode).where(of_them, ~LinkCode.code.startswith(_WRONG)))


async def drop_expired(tx: Tx, now: datetime) -> None:
    await tx.execute(sa.delete(LinkCode).where(LinkCode.expires_at <= now))


async def note_wrong(tx: Tx, contact_id: int, until: datetime) -> None:
    """Remember until then that this contact sent a wrong code."""
    tx.add(LinkCode(code=_WRONG + secrets.token_hex(12), contact_id=contact_id, expires_at=until))
    await tx.flush()


async def wrong_tries(tx: Tx, contact_id: int, now: datetime) -> int:
    """How many wrong codes of this contact are still remembered."""
    theirs = sa.and_(LinkCode.contact_id == contact_id, LinkCode.code.startswith(_WRONG), LinkCode.expires_at > now)
    return (await tx.execute(sa.select(sa.func.count()).select_from(LinkCode).where(theirs))).scalar_one()


async def lock(tx: Tx, contact_ids: Sequence[int]) -> dict[int, Person]:
    """The people of these contacts by contact, as they are now and stay until the end of the transaction."""
    await tx.flush()
    query = sa.select(Contact).where(Contact.id.in_(contact_ids)).order_by(Contact.id).with_for_update()
    found = list((await tx.execute(query, execution_options={"populate_existing": True})).scalars())
    ids = {contact.person_id for contact in found}
    query_people = sa.select(Person).where(Person.id.in_(ids)).order_by(Person.id).with_for_update()
    whoever = (await tx.execute(query_people, execution_options={"populate_existing": True})).scalars()
    by_id = {person.id: person for person in whoever}
    return {contact.id: by_id[contact.person_id] for contact in found if contact.person_id in by_id}


async def prefer(tx: Tx, person_id: int, contact_id: int | None) -> None:
    """Where that person wants to be written to; with `None` it is all the same."""
    wanted = sa.false() if contact_id is None else Contact.id == contact_id
    await tx.execute(
        sa.update(Contact)
        .where(Contact.person_id == person_id)
        .values(preferred=wanted)
        .execution_options(synchronize_session="fetch")
    )


async def campaigns_naming(tx: Tx, person_id: int) -> list[Campaign]:
    """Campaigns that still reach somebody and perhaps name that person in their audience."""
    ahead = sa.exists().where(
        Run.campaign_id == Campaign.id, sa.or_(Run.state.in_(LIVE), Run.gather_after.is_not(None))
    )
    query = sa.select(Campaign).where(
        Campaign.audience.contains(f":{person_id}"),
        Campaign.kind != CampaignKind.TIP,
        sa.or_(ahead, Campaign.state == CampaignState.PROPOSED),
    )
    return list((await tx.execute(query.order_by(Campaign.id))).scalars())


async def merge(tx: Tx, loser: Person, survivor: Person, now: datetime, today: datetime) -> None:
    """Everything of `loser` belongs to `survivor`, and `loser` is no more. `today` is the moment when the day began.
    Both must be locked."""
    await tx.flush()
    old, new = loser.id, survivor.id
    await _settle_doubles(tx, old, new)
    await practice.merge(tx, old, new)
    for column in (*FOLLOW, *ONCE):
        await tx.execute(sa.update(column.class_).where(column == old).values({column.key: new}))
    await _merge_deliveries(tx, old, new, now, today)
    tx.expunge(loser)
    await tx.execute(sa.delete(Person).where(Person.id == old))


async def split(tx: Tx, contact_ids: Sequence[int], person: Person) -> None:
    """These contacts belong to a new person from now on; what is just being sent there is only counted."""
    tx.add(person)
    await tx.flush()
    leaves = sa.and_(_kept(), Delivery.state == DeliveryState.SENDING, Delivery.contact_id.in_(contact_ids))
    of_old = sa.select(Contact.person_id).where(Contact.id.in_(contact_ids))
    await tx.execute(_plain(sa.update(Delivery).where(leaves, Delivery.person_id.in_(of_old)).values(contact_id=None)))
    change = {"person_id": person.id, "preferred": False}
    await tx.execute(sa.update(Contact).where(Contact.id.in_(contact_ids)).values(change))
    await drop_codes(tx, contact_ids)


async def _settle_doubles(tx: Tx, old: int, new: int) -> None:
    """Where both have the same thing one of the two goes: the later answer to an event stays, the earlier credit for
    bringing somebody in. Nobody has brought in themselves."""
    mine, other = sa.orm.aliased(Role), sa.orm.aliased(Rsvp)
    same_role = sa.exists().where(mine.person_id == new, mine.role == Role.role, mine.unit_id == Role.unit_id)
    await tx.execute(_plain(sa.delete(Role).where(Role.person_id == old, same_role)))
    same_event = sa.and_(other.event_id == Rsvp.event_id, other.person_id.in_((old, new)))
    newer = sa.exists().where(same_event, other.person_id != Rsvp.person_id, other.at > Rsvp.at)
    await tx.execute(_plain(sa.delete(Rsvp).where(Rsvp.person_id.in_((old, new)), newer)))
    as_new = sa.exists().where(other.person_id == new, other.event_id == Rsvp.event_id)
    await tx.execute(_plain(sa.delete(Rsvp).where(Rsvp.person_id == old, as_new)))
    oneself = sa.and_(Referral.person_id.in_((old, new)), Referral.by_id.in_((old, new)))
    await tx.execute(_plain(sa.delete(Referral).where(oneself)))
    before = sa.orm.aliased(Referral)
    earlier = sa.exists().where(before.person_id == old, before.at < Referral.at)
    await tx.execute(_plain(sa.delete(Referral).where(Referral.person_id == new, earlier)))
    have = sa.exists().where(before.person_id == new)
    await tx.execute(_plain(sa.delete(Referral).where(Referral.person_id == old, have)))


def _plain(statement: Any) -> Any:
    """Nothing of what it changes is held in memory."""
    return statement.execution_options(synchronize_session=False)


@dataclass(slots=True)
class _Fates:
    """What becomes of the deliveries of two people, by run."""

    move: list[int] = field(default_factory=list)
    skip_old: list[int] = field(default_factory=list)
    skip_new: list[int] = field(default_factory=list)
    keep_out: list[int] = field(default_factory=list)
    """Runs that have reached the one and will still come past the other."""


async def _merge_deliveries(tx: Tx, old: int, new: int, now: datetime, today: datetime) -> None:
    """What waits goes over, what was reached is not reached again. The rest of `old` is a number that nobody can be
    found by. The runs are held meanwhile: nobody begins, gathers or ends one."""
    held = await _hold_runs(tx, today)
    query = sa.select(Delivery.run_id, Delivery.person_id, Delivery.state)
    theirs = query.where(Delivery.run_id.in_(held), Delivery.person_id.in_((old, new)))
    rows = (await tx.execute(theirs.order_by(Delivery.run_id, Delivery.person_id).with_for_update())).all()
    states: dict[int, dict[int, DeliveryState]] = {old: {}, new: {}}
    for run_id, person_id, state in rows:
        states[person_id][run_id] = state
    coming = {run_id for run_id, (_, after, until) in held.items() if after is not None and after < new <= (until or 0)}
    daily = {run_id: kind for run_id, (kind, *_) in held.items() if kind is not None}
    await _apply(tx, _decide(states[old], states[new], daily, coming), old, new, now)
    number_only = sa.update(Delivery).where(_kept(), Delivery.person_id == old)
    await tx.execute(_plain(number_only.values(contact_id=None, message_id=None)))


def _kept() -> sa.ColumnElement[bool]:
    """Through the runs: the key of a delivery begins with its run, and there are millions."""
    return Delivery.run_id.in_(sa.select(Run.id).where(Run.rolled_up_at.is_(None)))


async def _hold_runs(tx: Tx, today: datetime) -> dict[int, tuple[CampaignKind | None, int | None, int | None]]:
    """Runs that may still reach somebody, and today's tips and questions, locked: which of the two it is of today, and
    between which ids people are still gathered."""
    daily = sa.and_(Campaign.kind.in_(DAILY), Run.planned_at >= today)
    concerned = sa.or_(Run.state.in_(LIVE), Run.gather_after.is_not(None), daily)
    query = (
        sa.select(Run.id, sa.case((daily, Campaign.kind), else_=None), Run.gather_after, Run.gather_until)
        .join(Campaign, Campaign.id == Run.campaign_id)
        .where(concerned, Run.rolled_up_at.is_(None))
        .order_by(Run.id)
        .with_for_update(read=True, of=Run)
    )
    found = (await tx.execute(query)).all()
    return {id: (kind, after, until or HELD) for id, kind, after, until in found}


def _decide(
    old: Mapping[int, DeliveryState],
    new: Mapping[int, DeliveryState],
    daily: Mapping[int, CampaignKind],
    coming: set[int],
) -> _Fates:
    """The tips of one day are one thing, and so are its questions: nobody gets two of them."""
    fates = _Fates()
    things: defaultdict[int | CampaignKind, set[int]] = defaultdict(set)
    for run_id in {*old, *new}:
        things[daily.get(run_id, run_id)].add(run_id)
    for together in things.values():
        had = any(old.get(run_id) in REACHED for run_id in together)
        has = any(new.get(run_id) in (*REACHED, DeliveryState.WAITING) for run_id in together)
        for run_id in sorted(together):
            if old.get(run_id) is DeliveryState.WAITING:
                (fates.skip_old if has or run_id in new else fates.move).append(run_id)
            if new.get(run_id) is DeliveryState.WAITING and had:
                fates.skip_new.append(run_id)
    fates.keep_out = sorted(run_id for run_id in coming if run_id not in new and old.get(run_id) in REACHED)
    return fates


async def _apply(tx: Tx, fates: _Fates, old: int, new: int, now: datetime) -> None:
    """The rows are locked, so their states are known, and so is what the counts change by."""
    moved = sa.update(Delivery).where(Delivery.run_id.in_(fates.move), Delivery.person_id == old)
    await tx.execute(_plain(moved.values(person_id=new, contact_id=None)))
    linked = {"state": DeliveryState.SKIPPED, "reason": Reason.LINKED, "at": now}
    for person_id, skipped in ((old, fates.skip_old), (new, fates.skip_new)):
        of = sa.and_(Delivery.run_id.in_(skipped), Delivery.person_id == person_id)
        await tx.execute(_plain(sa.update(Delivery).where(of).values(linked)))
    out = [{"run_id": run_id, "person_id": new, **linked} for run_id in fates.keep_out]
    if out:
        await tx.execute(insert(tx, Delivery).values(out))
    changes = Changes()
    for run_id in (*fates.skip_old, *fates.skip_new):
        changes.add(run_id, NOBODY, DeliveryState.WAITING, -1)
    for run_id in (*fates.skip_old, *fates.skip_new, *fates.keep_out):
        changes.add(run_id, NOBODY, DeliveryState.SKIPPED, 1, Reason.LINKED)
    await tally.apply(tx, changes)
