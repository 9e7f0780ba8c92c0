"""Queries about deliveries and slices: what dead senders leave behind, what waits again, what will never be sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import ContactState, DeliveryState, PersonStatus, RunState
from bot.db import tally
from bot.db.session import Tx
from bot.db.sql import changed
from bot.db.tables import Campaign, Contact, Delivery, Person, Run, Slice
from bot.db.tally import NOBODY, Changes
from bot.db.traffic_rows import Claimed, Outcome, Way
from bot.db.types import from_micros

__all__ = ["Claimed", "Outcome"]

SPENT = 2**62
"""As a way's `since`: it may write to nobody now."""
SWEEP = 20_000
"""So many deliveries are ended in one transaction, at most."""


async def renew(tx: Tx, owner: str, lease_until: datetime) -> None:
    """Say that this sender is alive. A slice that is just being closed needs no lease."""
    mine = sa.select(Slice.id).where(Slice.owner == owner).order_by(Slice.id).with_for_update(skip_locked=True)
    await tx.execute(sa.update(Slice).where(Slice.id.in_(mine)).values(lease_until=lease_until))


async def recover(tx: Tx, now: datetime, *, all_owners: bool = False) -> int:
    """Declare unknown what dead senders had claimed: slices whose lease has passed, or every slice when the caller
    knows that nobody else can be sending. Runs of a campaign that resends unknown ones let them wait again.
    Returns how many deliveries."""
    passed = sa.and_(Slice.lease_until < now, Slice.owner != "")
    return await _end_slices(tx, sa.true() if all_owners else passed, dead_since=now)


async def release(tx: Tx, owner: str) -> int:
    """Give back what this sender had claimed and never begun: it waits again. Returns how many deliveries."""
    return await _end_slices(tx, Slice.owner == owner)


async def orphans(tx: Tx, owner: str, known: Collection[int]) -> int:
    """Give back what was claimed for this sender without its hearing of it: slices beside those that it knows. Returns
    how many deliveries. While one of those reaches over the same people, an orphan is left for a later call. The sender
    must not be claiming meanwhile."""
    mine = list((await tx.execute(sa.select(Slice).where(Slice.owner == owner))).scalars())
    ours = [found for found in mine if found.id in known]
    lost = [found.id for found in mine if found.id not in known and not any(_overlap(found, our) for our in ours)]
    return await _end_slices(tx, Slice.id.in_(lost)) if lost else 0


def _overlap(one: Slice, other: Slice) -> bool:
    same = (one.run_id, one.account_id) == (other.run_id, other.account_id)
    return same and one.first <= other.last and other.first <= one.last


async def _end_slices(tx: Tx, which: sa.ColumnElement[bool], *, dead_since: datetime | None = None) -> int:
    """Close slices. Their deliveries without an outcome were begun by somebody who is dead since then, or never."""
    ids = (await tx.execute(sa.select(Slice.run_id).where(which).distinct())).scalars()
    # first the runs: nobody may cancel one while its deliveries go back to waiting
    runs = (
        sa.select(Run, Campaign.resend_unknown)
        .join(Campaign, Campaign.id == Run.campaign_id)
        .where(Run.id.in_(list(ids)))
        .order_by(Run.id)
        .with_for_update(read=True, of=Run)
        .execution_options(populate_existing=True)
    )
    known = {run.id: (run, again) for run, again in (await tx.execute(runs)).all()}
    query = sa.select(Slice).where(which, Slice.run_id.in_(known)).order_by(Slice.id)
    found = list((await tx.execute(query.with_for_update(skip_locked=True))).scalars())
    changes, ended = Changes(), 0
    for one in found:
        change = _end(*known[one.run_id], dead_since)
        n = await changed(tx, sa.update(Delivery).where(_in_flight(one)).values(**change))
        changes.add(one.run_id, one.account_id, DeliveryState.SENDING, -n)
        changes.add(one.run_id, one.account_id, change["state"], n, change["reason"])
        ended += n
    await close_slices(tx, [one.id for one in found])
    await tally.apply(tx, changes)
    return ended


def _end(run: Run, again: bool, dead_since: datetime | None) -> dict[str, Any]:
    """What becomes of a delivery without an outcome."""
    cancelled = run.state is RunState.CANCELLED
    if dead_since is not None and (cancelled or not again):
        return {"state": DeliveryState.UNKNOWN, "reason": Reason.INTERRUPTED, "at": dead_since}
    if cancelled:
        return {"state": DeliveryState.SKIPPED, "reason": Reason.CANCELLED, "at": run.finished_at}
    return {"state": DeliveryState.WAITING, "reason": None, "at": None}


async def close_slices(tx: Tx, ids: Sequence[int]) -> None:
    if ids:
        await tx.execute(sa.delete(Slice).where(Slice.id.in_(ids)))


def _in_flight(found: Slice) -> sa.ColumnElement[bool]:
    """The deliveries of a slice without an outcome."""
    of_account = sa.select(Contact.id).where(
        Contact.account_id == found.account_id, Contact.person_id.between(found.first, found.last)
    )
    return sa.and_(
        Delivery.run_id == found.run_id,
        Delivery.person_id.between(found.first, found.last),
        Delivery.state == DeliveryState.SENDING,
        sa.or_(Delivery.contact_id.in_(of_account), Delivery.contact_id.is_(None)),
    )


async def requeue(tx: Tx, run_id: int, state: DeliveryState) -> int:
    """Let failed or unknown deliveries of a run wait again. People whose contact is closed, and those who said stop
    meanwhile, stay as they are."""
    can_reach = sa.and_(
        sa.exists().where(Contact.person_id == Delivery.person_id, Contact.state == ContactState.OPEN), _listens()
    )
    change = {"state": DeliveryState.WAITING, "reason": None, "at": None}
    changes, again = Changes(), 0
    for was, reason in await tally.read(tx, run_id):
        if was is not state:
            continue
        these = sa.and_(Delivery.run_id == run_id, Delivery.state == state, _because(reason), can_reach)
        n = await changed(tx, sa.update(Delivery).where(these).values(**change))
        changes.add(run_id, NOBODY, state, -n, reason)
        changes.add(run_id, NOBODY, DeliveryState.WAITING, n)
        again += n
    await tally.apply(tx, changes)
    return again


def _because(reason: Reason | None) -> sa.ColumnElement[bool]:
    return Delivery.reason.is_(None) if reason is None else Delivery.reason == reason


async def skip_waiting(
    tx: Tx, run_id: int, reason: Reason, now: datetime, *, after: int = 0, until: int | None = None
) -> int:
    """End what still waits, with a reason; only people above `after` and up to `until`, if given."""
    waits = [Delivery.run_id == run_id, Delivery.person_id > after, Delivery.state == DeliveryState.WAITING]
    if until is not None:
        waits.append(Delivery.person_id <= until)
    change = {"state": DeliveryState.SKIPPED, "reason": reason, "at": now}
    n = await changed(tx, sa.update(Delivery).where(*waits).values(**change))
    await _skipped(tx, run_id, n, reason)
    return n


async def _skipped(tx: Tx, run_id: int, n: int, reason: Reason) -> None:
    """Count that so many do not wait any more."""
    changes = Changes()
    changes.add(run_id, NOBODY, DeliveryState.WAITING, -n)
    changes.add(run_id, NOBODY, DeliveryState.SKIPPED, n, reason)
    await tally.apply(tx, changes)


async def nth_after(tx: Tx, run_id: int, after: int, n: int) -> int | None:
    """The person of the n-th delivery above `after`; `None` if there are fewer."""
    query = sa.select(Delivery.person_id).where(Delivery.run_id == run_id, Delivery.person_id > after)
    return (await tx.execute(query.order_by(Delivery.person_id).offset(n - 1).limit(1))).scalar_one_or_none()


def _listens() -> sa.ColumnElement[bool]:
    """The person of a delivery is there and has not said stop."""
    return sa.exists().where(Person.id == Delivery.person_id, Person.status != PersonStatus.STOPPED)


async def skip_unreachable(tx: Tx, run_id: int, now: datetime, ways: Sequence[Way] | None) -> int:
    """End waiting deliveries of people who said stop, of those who have no open contact any more on one of the accounts
    of `ways` (`None`: on any), with what closed it, and of those whom none of the ways may write to now: they are kept
    until they write. Only the first `SWEEP` that wait are looked at; returns how many were ended."""
    of_person = Contact.person_id == Delivery.person_id
    ours = sa.true() if ways is None else Contact.account_id.in_([way.account_id for way in ways])
    is_open = sa.exists().where(of_person, Contact.state == ContactState.OPEN, ours)
    why = (
        sa.select(Contact.closed_reason)
        .where(of_person, Contact.state == ContactState.CLOSED)
        .order_by(Contact.closed_at.desc())
        .limit(1)
        .correlate(Delivery)
        .scalar_subquery()
    )
    reason = sa.case(
        (~_listens(), sa.literal(Reason.OPTED_OUT, Delivery.reason.type)),
        (is_open, _why_kept(of_person, ways or ())),
        else_=sa.func.coalesce(why, sa.literal(Reason.NO_ROUTE, Delivery.reason.type)),
    )
    waits = sa.and_(Delivery.run_id == run_id, Delivery.state == DeliveryState.WAITING)
    gone = ~(is_open if ways is None else sa.exists().where(of_person, _reached(ways)))
    first = sa.select(Delivery.person_id).where(waits).order_by(Delivery.person_id).limit(SWEEP)
    statement = sa.update(Delivery).where(waits, Delivery.person_id.in_(first), sa.or_(~_listens(), gone))
    change = {"state": DeliveryState.SKIPPED, "reason": reason, "at": now}
    return await _skip(tx, statement.values(**change))


def heard_since(since: int) -> sa.ColumnElement[bool]:
    """A contact from whom was heard since then (microseconds since 1970). Groups have no window."""
    return sa.or_(Contact.kind == ChatKind.GROUP, Contact.last_in_at >= from_micros(since))


def _reached(ways: Sequence[Way]) -> sa.ColumnElement[bool]:
    """A contact that one of the ways may write to now."""
    each = [
        sa.and_(Contact.account_id == way.account_id, heard_since(way.since))
        if way.since
        else Contact.account_id == way.account_id
        for way in ways
        if way.since < SPENT
    ]
    return sa.and_(Contact.state == ContactState.OPEN, sa.or_(sa.false(), *each))


def _why_kept(of_person: sa.ColumnElement[bool], ways: Sequence[Way]) -> sa.ColumnElement[Any]:
    spent = [way.account_id for way in ways if way.since >= SPENT]
    on_spent = sa.exists().where(of_person, Contact.state == ContactState.OPEN, Contact.account_id.in_(spent))
    closed = sa.literal(Reason.WINDOW_CLOSED, Delivery.reason.type)
    return sa.case((on_spent, sa.literal(Reason.BUDGET_USED, Delivery.reason.type)), else_=closed)


async def reroute(tx: Tx, run_id: int, person_id: int, but: int) -> None:
    """Let a delivery that one account could not make wait again, if the person has an open contact on another. A run
    that was taken for done goes on."""
    other = sa.exists().where(
        Contact.person_id == person_id, Contact.state == ContactState.OPEN, Contact.account_id != but
    )
    query = sa.select(Delivery.state, Delivery.reason).where(
        Delivery.run_id == run_id,
        Delivery.person_id == person_id,
        Delivery.state.in_((DeliveryState.FAILED, DeliveryState.SKIPPED)),
        other,
        _listens(),
    )
    found = (await tx.execute(query)).one_or_none()
    run = await tx.get(Run, run_id, with_for_update=True, populate_existing=True) if found is not None else None
    if found is None or run is None or run.state not in (RunState.SENDING, RunState.PAUSED, RunState.DONE):
        return
    mine = sa.and_(Delivery.run_id == run_id, Delivery.person_id == person_id)
    waits = {"state": DeliveryState.WAITING, "reason": None, "at": None, "contact_id": None}
    await tx.execute(sa.update(Delivery).where(mine).values(**waits))
    changes = Changes()
    changes.add(run_id, NOBODY, found.state, -1, found.reason)
    changes.add(run_id, NOBODY, DeliveryState.WAITING, 1)
    await tally.apply(tx, changes)
    if run.state is RunState.DONE:
        run.state, run.finished_at = RunState.SENDING, None
        await tx.flush()


async def drop_person(tx: Tx, person_id: int, now: datetime) -> int:
    """Nothing more for somebody who has said stop."""
    live = sa.select(Run.id).where(Run.state.in_((RunState.SENDING, RunState.PAUSED, RunState.STOPPED)))
    return await skip_person(tx, person_id, Reason.OPTED_OUT, now, runs=live)


async def skip_person(
    tx: Tx, person_id: int, reason: Reason, at: datetime | None, *, runs: sa.Select[int] | None = None
) -> int:
    """Nothing is left waiting for a person, in those runs or in any. Through the runs: the key of a delivery begins
    with its run, and there are millions."""
    among = sa.select(Run.id).where(Run.rolled_up_at.is_(None)) if runs is None else runs
    waits = sa.and_(
        Delivery.run_id.in_(among), Delivery.person_id == person_id, Delivery.state == DeliveryState.WAITING
    )
    change = {"state": DeliveryState.SKIPPED, "reason": reason, "at": at}
    return await _skip(tx, sa.update(Delivery).where(waits).values(**change))


async def _skip(tx: Tx, statement: sa.Update) -> int:
    """Run a statement that skips waiting deliveries, and count them by run and reason. Returns how many."""
    skipped = statement.returning(Delivery.run_id, Delivery.reason).execution_options(synchronize_session=False)
    changes, n = Changes(), 0
    for run_id, reason in (await tx.execute(skipped)).all():
        changes.add(run_id, NOBODY, DeliveryState.WAITING, -1)
        changes.add(run_id, NOBODY, DeliveryState.SKIPPED, 1, reason)
        n += 1
    await tally.apply(tx, changes)
    return n


async def latest_run_of(tx: Tx, person_id: int, run_ids: Iterable[int]) -> Delivery | None:
    """That person's latest delivery among those runs."""
    query = sa.select(Delivery).where(Delivery.person_id == person_id, Delivery.run_id.in_(list(run_ids)))
    return (await tx.execute(query.order_by(Delivery.run_id.desc()).limit(1))).scalar_one_or_none()
